// One thread that calls back at given moments.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "hvagent/clock.h"

namespace hvagent {

// Thread-safe. Sleeps exactly until the next call is due. Callbacks run one after another on the timer's thread and
// must not block.
class Timer {
public:
    explicit Timer(const Clock& clock) : clock_(clock) {}
    ~Timer() { stop(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void start();
    void stop();
    // Calls `work` once at `when`, or never when the timer stops before.
    void at(Moment when, std::function<void()> work);

private:
    void run();

    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<Moment, std::function<void()>> due_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace hvagent
