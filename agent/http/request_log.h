// What the log says about requests: each at debug level, refused and failed ones at warning level, not too many of them.
#pragma once
#include <chrono>
#include <mutex>

#include "agent/http/transport/message.h"
#include "hvagent/clock.h"

namespace hvagent::http {

// Thread-safe.
class RequestLog {
public:
    explicit RequestLog(const Clock& clock) : clock_(clock) {}
    void answered(const Request& request, const Response& response, std::chrono::microseconds took);

private:
    // False when there were many lately; then `suppressed` grows.
    bool may_warn(std::size_t& suppressed_before);

    const Clock& clock_;
    std::mutex mutex_;
    Moment window_begin_{};
    std::size_t in_window_ = 0;
    std::size_t suppressed_ = 0;
};

}  // namespace hvagent::http
