#include "drivers/http_client/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "drivers/files/file_copy.h"
#include "drivers/http_client/local_file.h"

namespace hvagent {
namespace {

constexpr long slowest_bytes_per_second = 1024;
constexpr long most_redirects = 5;
constexpr Bytes write_out_every = 16 * MiB;

}  // namespace

Download::Download(const HttpSettings& settings, const std::string& url, const std::string& path, Bytes limit,
                   const Progress& progress, Cancellation& cancel)
    : settings_(settings),
      text_(url),
      url_(parse_url(url)),
      path_(path),
      limit_(limit),
      progress_(progress),
      cancel_(cancel) {}

void Download::run() {
    cancel_.check();
    file_ = FileHandle(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file_) throw file_error("cannot create " + path_, errno);
    try {
        url_.scheme == "file" ? copy_local_file() : fetch();
    } catch (const Error& error) {
        ::unlink(path_.c_str());
        if (error.code() != Code::storage_allocate) throw;
        throw Error(Code::image_storage_allocate, error.details());
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
}

void Download::copy_local_file() {
    const FileHandle source = open_local_file(url_, settings_.blocked_local_paths);
    copy_content({source, file_, url_.shown, path_, limit_}, progress_, cancel_);
}

void Download::fetch() {
    const EasyHandle handle(curl_easy_init());
    if (!handle) throw Error(Code::internal, "libcurl gives no handle");
    configure(handle.get());
    check(transfer(handle.get()), handle.get());
}

void Download::configure(CURL* handle) {
    allow_protocols(handle, false, "http,https,ftp", CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP);
    allow_protocols(handle, true, "http,https", CURLPROTO_HTTP | CURLPROTO_HTTPS);
    set_option(handle, CURLOPT_NOSIGNAL, 1L);
    set_option(handle, CURLOPT_URL, text_.c_str());
    set_option(handle, CURLOPT_PROXY, settings_.proxy.c_str());
    set_option(handle, CURLOPT_FOLLOWLOCATION, 1L);
    set_option(handle, CURLOPT_MAXREDIRS, most_redirects);
    set_option(handle, CURLOPT_FAILONERROR, 1L);
    set_option(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_timeout.count()));
    set_option(handle, CURLOPT_LOW_SPEED_LIMIT, slowest_bytes_per_second);
    set_option(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall_timeout.count()));
    set_option(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limit_));
    set_option(handle, CURLOPT_ERRORBUFFER, details_.data());
    set_option(handle, CURLOPT_WRITEFUNCTION, &Download::on_data);
    set_option(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set_option(handle, CURLOPT_NOPROGRESS, 0L);
    set_option(handle, CURLOPT_XFERINFOFUNCTION, &Download::on_progress);
    set_option(handle, CURLOPT_XFERINFODATA, static_cast<void*>(this));
    if (!settings_.ca_file.empty()) set_option(handle, CURLOPT_CAINFO, settings_.ca_file.c_str());
}

CURLcode Download::transfer(CURL* handle) {
    const MultiHandle multi(curl_multi_init());
    if (!multi) throw Error(Code::internal, "libcurl gives no handle");
    const Cancellation::Subscription wake(cancel_, [&] { curl_multi_wakeup(multi.get()); });
    curl_multi_add_handle(multi.get(), handle);
    const std::unique_ptr<CURL, std::function<void(CURL*)>> added(
        handle, [&](CURL* leaving) { curl_multi_remove_handle(multi.get(), leaving); });
    for (int running = 1; running > 0;) {
        if (cancel_.wanted()) return CURLE_ABORTED_BY_CALLBACK;
        CURLMcode state = curl_multi_perform(multi.get(), &running);
        if (state == CURLM_OK && running > 0) state = curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
        if (state != CURLM_OK) throw Error(Code::http_failed, url_.shown + ": " + curl_multi_strerror(state));
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
    return message ? message->data.result : CURLE_GOT_NOTHING;
}

void Download::check(CURLcode result, CURL* handle) {
    if (progress_failure_) std::rethrow_exception(progress_failure_);
    cancel_.check();
    if (write_error_ != 0) throw file_error("cannot store " + url_.shown + " in " + path_, write_error_);
    if (too_large_ || result == CURLE_FILESIZE_EXCEEDED) {
        throw Error(Code::image_storage_allocate,
                    url_.shown + " is larger than the " + human_size(limit_) + " that may be stored");
    }
    if (result == CURLE_OK) return;
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    const std::string answer = result == CURLE_HTTP_RETURNED_ERROR ? "the server answered " + std::to_string(status) : "";
    throw Error(Code::http_failed,
                "cannot download " + url_.shown + ": " + (answer.empty() ? reason_of(result, details_.data()) : answer));
}

bool Download::store(const char* data, std::size_t size) {
    if (limit_ > 0 && stored_ + static_cast<Bytes>(size) > limit_) {
        too_large_ = true;
        return false;
    }
    for (std::size_t written = 0; written < size;) {
        const ssize_t result = ::write(file_.get(), data + written, size - written);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0) {
            write_error_ = errno;
            return false;
        }
        written += static_cast<std::size_t>(result);
    }
    stored_ += static_cast<Bytes>(size);
    if (stored_ - writing_out_from_ >= write_out_every) {
        // Keeps the amount of unwritten data small, so that the flush at the end is short.
        ::sync_file_range(file_.get(), writing_out_from_, stored_ - writing_out_from_, SYNC_FILE_RANGE_WRITE);
        writing_out_from_ = stored_;
    }
    return true;
}

bool Download::report(Bytes done, Bytes total) {
    if (cancel_.wanted()) return false;
    try {
        if (progress_) progress_(done, total);
    } catch (...) {
        progress_failure_ = std::current_exception();
        return false;
    }
    return true;
}

std::size_t Download::on_data(char* data, std::size_t, std::size_t size, void* context) {
    return static_cast<Download*>(context)->store(data, size) ? size : 0;
}

int Download::on_progress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
    return static_cast<Download*>(context)->report(done, total) ? 0 : 1;
}

}  // namespace hvagent
