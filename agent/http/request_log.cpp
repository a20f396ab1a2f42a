#include "agent/http/request_log.h"

#include "agent/http/url.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

constexpr seconds window{10};
constexpr std::size_t most_in_window = 20;

// The path without its query; a session in it is a secret.
std::string shown_path(const Request& request) {
    std::string path(split_target(request.target).path.substr(0, 200));
    constexpr std::string_view sessions = "/sessions/";
    const auto at = to_lower(path).find(sessions);
    if (at == std::string::npos) return path;
    const auto begin = at + sessions.size();
    return path.replace(begin, std::min(path.find('/', begin), path.size()) - begin, "***");
}

}  // namespace

void RequestLog::answered(const Request& request, const Response& response, std::chrono::microseconds took) {
    std::size_t suppressed = 0;
    const std::string path = shown_path(request);
    if (response.status < 400 || !may_warn(suppressed)) {
        log::debug("request answered", {{"method", request.method},
                                        {"path", path},
                                        {"status", response.status},
                                        {"client", request.client_address},
                                        {"took_us", took.count()}});
        return;
    }
    log::warning("request refused or failed", {{"method", request.method},
                                               {"path", path},
                                               {"status", response.status},
                                               {"client", request.client_address},
                                               {"answer", response.body.substr(0, 500)},
                                               {"not_logged_before", suppressed}});
}

bool RequestLog::may_warn(std::size_t& suppressed_before) {
    const Moment now = clock_.moment();
    const std::lock_guard lock(mutex_);
    if (now - window_begin_ >= window) {
        window_begin_ = now;
        in_window_ = 0;
    }
    if (in_window_ >= most_in_window) {
        ++suppressed_;
        return false;
    }
    ++in_window_;
    suppressed_before = std::exchange(suppressed_, 0);
    return true;
}

}  // namespace hvagent::http
