// Threads that come when there is work and go when there is none.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "hvagent/clock.h"

namespace hvagent::jobs {

// Thread-safe.
class Workers {
public:
    // At most `most` threads; one that had nothing to do for `idle` ends. `name` is what ps and gdb show.
    Workers(std::string name, std::size_t most, milliseconds idle);
    ~Workers() { stop(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // Tasks begin in the order they came. When no thread can be made and none exists the task waits for the next run() or
    // grow().
    void run(std::function<void()> task);
    // Makes a thread if a task waits for want of one; false when the kernel has none to give.
    bool grow();
    // Returns when everything given to run() has been done.
    void stop();

    std::size_t threads() const;

private:
    bool add_thread_if_needed();
    void loop();
    bool wait_for_task(std::unique_lock<std::mutex>& lock);
    void leave(std::unique_lock<std::mutex> lock);

    const std::string name_;
    const std::size_t most_;
    const milliseconds idle_time_;
    mutable std::mutex mutex_;
    std::condition_variable task_came_;
    std::condition_variable thread_left_;
    std::deque<std::function<void()>> tasks_;
    std::map<std::thread::id, std::thread> threads_;
    std::thread last_left_;  // joined by the next one that leaves, so that at most one stack waits to be freed
    std::size_t idle_ = 0;
    bool stopping_ = false;
};

}  // namespace hvagent::jobs
