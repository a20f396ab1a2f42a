// Time as the daemon sees it; tests put their own clock in.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace hvagent {

using Time = std::chrono::system_clock::time_point;    // of the wall, stored and shown
using Moment = std::chrono::steady_clock::time_point;  // for deadlines
using std::chrono::milliseconds;
using std::chrono::seconds;

class Clock {
public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
    virtual Moment moment() const = 0;
};

class SystemClock final : public Clock {
public:
    Time now() const override { return std::chrono::system_clock::now(); }
    Moment moment() const override { return std::chrono::steady_clock::now(); }
};

// Milliseconds since 1970 UTC: how times are stored.
inline std::int64_t to_unix_ms(Time time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}
inline Time from_unix_ms(std::int64_t ms) {
    return Time(milliseconds(ms));
}

// "2026-11-21T12:00:00.123Z"
std::string iso_time(Time time);

}  // namespace hvagent
