// A timer that tests move, and a list of what was told.
#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "hvagent/timer.h"
#include "tests/fakes/movable_clock.h"

namespace hvagent::state {

// Texts that arrive from any thread, in order.
class Told {
public:
    void add(std::string text) {
        const std::lock_guard lock(mutex_);
        texts_.push_back(std::move(text));
        changed_.notify_all();
    }
    bool wait_for(std::size_t count, milliseconds patience = seconds(10)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return texts_.size() >= count; });
    }
    std::vector<std::string> all() {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> texts_;
};

class Watching : public testing::Test {
protected:
    Watching() { timer.start(); }
    void TearDown() override { timer.stop(); }

    // All that is due at the timer by now was done.
    void settle() {
        std::promise<void> done;
        timer.at(clock.moment(), [&] { done.set_value(); });
        done.get_future().wait();
    }
    void pass(milliseconds time) {
        clock.move(time);
        settle();
    }

    MovableClock clock;
    Timer timer{clock};
};

}  // namespace hvagent::state
