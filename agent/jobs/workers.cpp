#include "agent/jobs/workers.h"

#include <pthread.h>

#include <system_error>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::jobs {

Workers::Workers(std::string name, std::size_t most, milliseconds idle)
    : name_(std::move(name)), most_(most), idle_time_(idle) {}

void Workers::run(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    add_thread_if_needed();
}

bool Workers::grow() {
    const std::lock_guard lock(mutex_);
    return add_thread_if_needed();
}

bool Workers::add_thread_if_needed() {
    if (tasks_.empty()) return true;
    if (idle_ >= tasks_.size()) {
        task_came_.notify_one();
        return true;
    }
    if (idle_ > 0) task_came_.notify_all();
    if (threads_.size() >= most_) return true;
    try {
        // It cannot look for itself in the map before this lock is let go.
        std::thread thread([this] { loop(); });
        const std::thread::id id = thread.get_id();
        threads_.emplace(id, std::move(thread));
    } catch (const std::system_error& error) {
        log::error("cannot make a thread", {{"pool", name_}, {"threads", threads_.size()}, {"error", error.what()}});
        return !threads_.empty();
    }
    return true;
}

void Workers::loop() {
    pthread_setname_np(pthread_self(), name_.c_str());
    std::unique_lock lock(mutex_);
    while (wait_for_task(lock)) {
        std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        try {
            task();
        } catch (...) {
            log::error("background work failed", {{"pool", name_}, {"error", current_error().details()}});
        }
        task = nullptr;
        lock.lock();
    }
    leave(std::move(lock));
}

bool Workers::wait_for_task(std::unique_lock<std::mutex>& lock) {
    if (!tasks_.empty()) return true;
    ++idle_;
    task_came_.wait_for(lock, idle_time_, [this] { return !tasks_.empty() || stopping_; });
    --idle_;
    return !tasks_.empty();
}

void Workers::leave(std::unique_lock<std::mutex> lock) {
    const auto self = threads_.find(std::this_thread::get_id());
    std::thread before = std::exchange(last_left_, std::move(self->second));
    threads_.erase(self);
    thread_left_.notify_all();
    lock.unlock();
    if (before.joinable()) before.join();
}

void Workers::stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    task_came_.notify_all();
    thread_left_.wait(lock, [this] { return threads_.empty(); });
    std::thread last = std::move(last_left_);
    stopping_ = false;  // usable again: the engine may be started anew
    lock.unlock();
    if (last.joinable()) last.join();
}

std::size_t Workers::threads() const {
    const std::lock_guard lock(mutex_);
    return threads_.size();
}

}  // namespace hvagent::jobs
