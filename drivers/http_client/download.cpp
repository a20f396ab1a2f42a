#include "drivers/http_client/download.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "drivers/files/file_copy.h"
#include "drivers/http_client/local_file.h"
#include "hvagent/log.h"

namespace hvagent {
namespace {

void require_protocol(const std::string& scheme) {
    std::string known;
    for (const char* const* one = curl_version_info(CURLVERSION_NOW)->protocols; *one; ++one) {
        if (scheme == *one) return;
        known += (known.empty() ? "" : ", ") + std::string(*one);
    }
    throw Error(Code::no_capability, "the libcurl of this host was built without " + scheme + "; it has " + known);
}

void sleep_for(milliseconds delay, Cancellation& cancel) {
    std::mutex mutex;
    std::condition_variable woken;
    const Cancellation::Subscription wake(cancel, [&] {
        const std::lock_guard lock(mutex);
        woken.notify_all();
    });
    std::unique_lock lock(mutex);
    woken.wait_for(lock, delay, [&] { return cancel.wanted(); });
}

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
    require_protocol(url_.scheme);
    PartialFile file(path_, url_.shown, settings_.checkpoint_every);
    try {
        url_.scheme == "file" ? copy_local_file(file) : fetch(file);
        file.finish();
    } catch (const Error& error) {
        if (cancel_.reason() == CancelReason::stopping && file.remote().can_be_recognised()) {
            file.checkpoint();
            throw;
        }
        file.discard();
        if (error.code() != Code::storage_allocate) throw;
        throw Error(Code::image_storage_allocate, error.details());
    } catch (...) {
        file.discard();
        throw;
    }
}

void Download::copy_local_file(PartialFile& file) {
    const FileHandle source = open_local_file(url_, settings_.blocked_local_paths);
    file.begin({});
    copy_content({source, file.handle(), url_.shown, path_, settings_.copies, limit_}, progress_, cancel_);
}

void Download::fetch(PartialFile& file) {
    furthest_ = file.stored();
    if (furthest_ > 0) log::info("a download is taken up", {{"url", url_.shown}, {"from", furthest_}});
    for (;;) {
        if (file.stored() > 0 && !file.remote().can_be_recognised()) file.begin({});
        if (file.stored() > 0 && file.stored() >= file.remote().size) file.forget_last_byte();
        Transfer transfer(settings_, text_, url_, file, limit_, progress_, cancel_);
        switch (transfer.run()) {
            case Transfer::Outcome::whole: return;
            case Transfer::Outcome::changed:
                log::warning("a download begins afresh: the file on the server is not the same any more",
                             {{"url", url_.shown}});
                file.begin({});
                if (++attempts_ >= settings_.most_attempts)
                    throw Error(Code::http_failed, "cannot download " + url_.shown + ": it changes all the time");
                break;
            case Transfer::Outcome::broken: wait_after(transfer, file); break;
        }
    }
}

void Download::wait_after(const Transfer& broken, PartialFile& file) {
    // A server that never sent anything is a wrong address rather than a bad line.
    if (furthest_ == 0 && file.stored() == 0) throw Error(Code::http_failed, broken.reason());
    fruitless_ = file.stored() > furthest_ ? 0 : fruitless_ + 1;
    furthest_ = std::max(furthest_, file.stored());
    ++attempts_;
    if (fruitless_ >= settings_.most_fruitless_attempts || attempts_ >= settings_.most_attempts)
        throw Error(Code::http_failed, broken.reason() + "; given up after " + std::to_string(attempts_) + " attempts");
    milliseconds delay = settings_.first_retry_delay;
    for (int i = 0; i < fruitless_ && delay < settings_.longest_retry_delay; ++i) delay *= 2;
    delay = std::min(delay, settings_.longest_retry_delay);
    log::warning("a download broke off and is tried again",
                 {{"url", url_.shown}, {"stored", file.stored()}, {"reason", broken.reason()}, {"in_ms", delay.count()}});
    sleep_for(delay, cancel_);
    cancel_.check();
}

}  // namespace hvagent
