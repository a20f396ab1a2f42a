// Runs like the real clock, and can be put forward.
#pragma once
#include <atomic>

#include "hvagent/clock.h"

namespace hvagent {

class MovableClock final : public Clock {
public:
    Time now() const override { return std::chrono::system_clock::now() + moved_.load(); }
    Moment moment() const override { return std::chrono::steady_clock::now() + moved_.load(); }
    void move(milliseconds by) { moved_ = moved_.load() + by; }

private:
    std::atomic<milliseconds> moved_{milliseconds(0)};
};

}  // namespace hvagent
