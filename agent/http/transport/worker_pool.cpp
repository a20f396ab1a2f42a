#include "agent/http/transport/worker_pool.h"

namespace hvagent::http {

bool WorkerPool::run(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    tasks_.push_back(std::move(task));
    for (std::thread& thread : finished_) thread.join();
    finished_.clear();
    if (tasks_.size() > waiting_ && threads_.size() < most_) {
        const auto self = threads_.emplace(threads_.end());
        *self = std::thread([this, self] { work(self); });
    }
    changed_.notify_one();
    return true;
}

void WorkerPool::work(Threads::iterator self) {
    std::unique_lock lock(mutex_);
    while (true) {
        ++waiting_;
        const bool woken = changed_.wait_for(lock, idle_, [this] { return stopping_ || !tasks_.empty(); });
        --waiting_;
        if (stopping_) return;
        if (!woken) {
            finished_.splice(finished_.end(), threads_, self);
            return;
        }
        const auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        lock.lock();
    }
}

void WorkerPool::stop() {
    Threads all;
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        dropped.swap(tasks_);
        all.splice(all.end(), threads_);
        all.splice(all.end(), finished_);
    }
    changed_.notify_all();
    for (std::thread& thread : all)
        if (thread.joinable()) thread.join();
}

std::size_t WorkerPool::threads() const {
    const std::lock_guard lock(mutex_);
    return threads_.size();
}

}  // namespace hvagent::http
