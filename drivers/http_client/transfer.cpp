#include "drivers/http_client/transfer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "drivers/files/file_handle.h"

namespace hvagent {
namespace {

constexpr long slowest_bytes_per_second = 1024;
constexpr long most_redirects = 5;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Bytes parse_number(std::string_view text) {
    Bytes number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

// Trust on first use, as ssh itself does when told "accept-new".
int judge_host_key(CURL*, const curl_khkey*, const curl_khkey*, curl_khmatch match, void*) {
    if (match == CURLKHMATCH_OK) return CURLKHSTAT_FINE;
    return match == CURLKHMATCH_MISSING ? CURLKHSTAT_FINE_ADD_TO_FILE : CURLKHSTAT_REJECT;
}

constexpr std::array transient_results{CURLE_PARTIAL_FILE,
                                       CURLE_RECV_ERROR,
                                       CURLE_SEND_ERROR,
                                       CURLE_GOT_NOTHING,
                                       CURLE_COULDNT_CONNECT,
                                       CURLE_COULDNT_RESOLVE_HOST,
                                       CURLE_OPERATION_TIMEDOUT,
                                       CURLE_HTTP2,
                                       CURLE_HTTP2_STREAM,
                                       CURLE_SSL_CONNECT_ERROR,
                                       CURLE_FTP_ACCEPT_TIMEOUT,
                                       CURLE_FTP_CANT_GET_HOST,
                                       CURLE_SSH,
                                       CURLE_FTP_COULDNT_RETR_FILE};
constexpr std::array transient_answers{408L, 429L, 500L, 502L, 503L, 504L};
constexpr long range_refused = 416;

}  // namespace

Transfer::Transfer(const HttpSettings& settings, const std::string& url, const Url& parsed, PartialFile& file, Bytes limit,
                   const Progress& progress, Cancellation& cancel)
    : settings_(settings),
      text_(url),
      parsed_(parsed),
      file_(file),
      limit_(limit),
      progress_(progress),
      cancel_(cancel),
      from_(file.stored()),
      handle_(curl_easy_init()) {
    if (!handle_) throw Error(Code::internal, "libcurl gives no handle");
}

Transfer::Outcome Transfer::run() {
    configure(handle_.get());
    if (from_ > 0) ask_for_the_rest(handle_.get());
    const CURLcode result = perform(handle_.get());
    if (result == CURLE_OK && !decided_) decide();  // an empty file
    return judge(result);
}

void Transfer::configure(CURL* handle) {
    allow_protocols(handle, false, "http,https,ftp,sftp", CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP | CURLPROTO_SFTP);
    allow_protocols(handle, true, "http,https", CURLPROTO_HTTP | CURLPROTO_HTTPS);
    set_option(handle, CURLOPT_NOSIGNAL, 1L);
    set_option(handle, CURLOPT_URL, text_.c_str());
    set_option(handle, CURLOPT_PROXY, settings_.proxy.c_str());
    set_option(handle, CURLOPT_FOLLOWLOCATION, 1L);
    set_option(handle, CURLOPT_MAXREDIRS, most_redirects);
    set_option(handle, CURLOPT_FAILONERROR, 1L);
    set_option(handle, CURLOPT_FILETIME, 1L);
    set_option(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_timeout.count()));
    set_option(handle, CURLOPT_LOW_SPEED_LIMIT, slowest_bytes_per_second);
    set_option(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall_timeout.count()));
    set_option(handle, CURLOPT_ERRORBUFFER, details_.data());
    set_option(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set_option(handle, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set_option(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_data);
    set_option(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set_option(handle, CURLOPT_NOPROGRESS, 0L);
    set_option(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set_option(handle, CURLOPT_XFERINFODATA, static_cast<void*>(this));
    set_certificates(handle, settings_);
    // The keys of whoever runs the daemon are not the client's to use.
    set_option(handle, CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
    if (!settings_.ssh_known_hosts.empty()) {
        set_option(handle, CURLOPT_SSH_KNOWNHOSTS, settings_.ssh_known_hosts.c_str());
        set_option(handle, CURLOPT_SSH_KEYFUNCTION, &judge_host_key);
    }
}

void Transfer::ask_for_the_rest(CURL* handle) {
    if (!is_http()) {
        set_option(handle, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(from_));
        return;
    }
    // curl's own option would call an answer with the whole file an error.
    const RemoteFile& known = file_.remote();
    const std::string range = "Range: bytes=" + std::to_string(from_) + "-";
    const std::string condition = "If-Range: " + (known.etag.empty() ? known.modified : known.etag);
    headers_.reset(curl_slist_append(nullptr, range.c_str()));
    if (!headers_ || !curl_slist_append(headers_.get(), condition.c_str())) throw Error(Code::internal, "out of memory");
    set_option(handle, CURLOPT_HTTPHEADER, headers_.get());
}

CURLcode Transfer::perform(CURL* handle) {
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
        if (state != CURLM_OK) throw Error(Code::http_failed, parsed_.shown + ": " + curl_multi_strerror(state));
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
    return message ? message->data.result : CURLE_GOT_NOTHING;
}

Transfer::Outcome Transfer::judge(CURLcode result) {
    if (failure_) std::rethrow_exception(failure_);
    cancel_.check();
    if (write_error_ != 0) throw file_error("cannot store " + parsed_.shown, write_error_);
    if (too_large_)
        throw Error(Code::image_storage_allocate,
                    parsed_.shown + " is larger than the " + human_size(limit_) + " that may be stored");
    if (changed_) return Outcome::changed;
    if (result == CURLE_OK) return Outcome::whole;
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_HTTP_RETURNED_ERROR && status == range_refused && from_ > 0) return Outcome::changed;
    reason_ = "cannot download " + parsed_.shown + ": " +
              (result == CURLE_HTTP_RETURNED_ERROR ? "the server answered " + std::to_string(status)
                                                   : reason_of(result, details_.data()));
    if (!is_transient(result, status)) throw Error(Code::http_failed, reason_);
    return Outcome::broken;
}

bool Transfer::is_transient(CURLcode result, long status) const {
    if (result == CURLE_HTTP_RETURNED_ERROR)
        return std::find(transient_answers.begin(), transient_answers.end(), status) != transient_answers.end();
    return std::find(transient_results.begin(), transient_results.end(), result) != transient_results.end();
}

void Transfer::note_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // of each answer on the way through redirects
        answered_ = {};
        range_begin_ = -1;
        return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = trimmed(line.substr(0, colon));
    std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "etag") && !value.starts_with("W/")) answered_.etag = value;
    if (equal_ignoring_case(name, "last-modified")) answered_.modified = value;
    if (equal_ignoring_case(name, "content-length")) answered_.size = std::max<Bytes>(0, parse_number(value));
    if (!equal_ignoring_case(name, "content-range") || !value.starts_with("bytes ")) return;
    value = trimmed(value.substr(6));
    const auto dash = value.find('-'), slash = value.find('/');
    if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return;
    range_begin_ = parse_number(value.substr(0, dash));
    range_total_ = std::max<Bytes>(0, parse_number(value.substr(slash + 1)));
}

RemoteFile Transfer::seen_remote() {
    if (is_http()) {
        RemoteFile seen = answered_;
        if (range_begin_ >= 0) seen.size = range_total_;
        return seen;
    }
    curl_off_t length = -1, time = -1;
    curl_easy_getinfo(handle_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(handle_.get(), CURLINFO_FILETIME_T, &time);
    RemoteFile seen;
    if (length > 0) seen.size = from_ + length;
    if (time > 0) seen.modified = std::to_string(time);
    return seen;
}

bool Transfer::is_continuation() {
    if (from_ == 0 || seen_remote() != file_.remote()) return false;
    return !is_http() || range_begin_ == from_;
}

// False: these bytes belong to nothing that we can use.
bool Transfer::decide() {
    decided_ = true;
    if (is_continuation()) return true;
    const bool comes_whole = from_ == 0 || (is_http() && range_begin_ < 0);
    if (!comes_whole) {
        changed_ = true;
        return false;
    }
    file_.begin(seen_remote());
    if (limit_ > 0 && file_.remote().size > limit_) too_large_ = true;
    return !too_large_;
}

bool Transfer::store(const char* data, std::size_t size) {
    if (!decided_ && !decide()) return false;
    if (limit_ > 0 && file_.stored() + static_cast<Bytes>(size) > limit_) {
        too_large_ = true;
        return false;
    }
    write_error_ = file_.append(data, size);
    return write_error_ == 0;
}

bool Transfer::report() {
    if (cancel_.wanted()) return false;
    if (progress_ && decided_) progress_(file_.stored(), file_.remote().size);
    return true;
}

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* context) {
    auto& self = *static_cast<Transfer*>(context);
    if (self.is_http()) self.note_header({data, size});
    return size;
}

std::size_t Transfer::on_data(char* data, std::size_t, std::size_t size, void* context) {
    auto& self = *static_cast<Transfer*>(context);
    try {
        return self.store(data, size) ? size : 0;
    } catch (...) {
        self.failure_ = std::current_exception();
        return 0;
    }
}

int Transfer::on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& self = *static_cast<Transfer*>(context);
    try {
        return self.report() ? 0 : 1;
    } catch (...) {
        self.failure_ = std::current_exception();
        return 1;
    }
}

}  // namespace hvagent
