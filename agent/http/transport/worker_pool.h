// Threads that come when work waits and go when there is none.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "hvagent/clock.h"

namespace hvagent::http {

// Thread-safe. Tasks start in order; at most `most` run at once.
class WorkerPool {
public:
    explicit WorkerPool(std::size_t most, milliseconds idle = seconds(10)) : most_(most), idle_(idle) {}
    ~WorkerPool() { stop(); }
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Tasks must not throw. After stop() nothing is taken any more: false.
    bool run(std::function<void()> task);
    // Waits for the tasks that run; those that wait are dropped.
    void stop();
    std::size_t threads() const;

private:
    using Threads = std::list<std::thread>;
    void work(Threads::iterator self);

    const std::size_t most_;
    const milliseconds idle_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    Threads threads_;
    Threads finished_;  // ended, to be joined
    std::size_t waiting_ = 0;
    bool stopping_ = false;
};

}  // namespace hvagent::http
