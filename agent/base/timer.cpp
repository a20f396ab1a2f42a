#include "hvagent/timer.h"

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent {

void Timer::start() {
    std::lock_guard lock(mutex_);
    if (thread_.joinable()) return;
    stopping_ = false;
    thread_ = std::thread([this] { run(); });
}

void Timer::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        due_.clear();
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Timer::at(Moment when, std::function<void()> work) {
    {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        due_.emplace(when, std::move(work));
    }
    changed_.notify_all();
}

void Timer::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (due_.empty()) {
            changed_.wait(lock);
            continue;
        }
        const Moment next = due_.begin()->first;
        if (clock_.moment() < next) {
            changed_.wait_until(lock, next);
            continue;
        }
        auto work = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        lock.unlock();
        try {
            work();
        } catch (...) {
            log::error("timed work failed", {{"error", current_error().details()}});
        }
        lock.lock();
    }
}

}  // namespace hvagent
