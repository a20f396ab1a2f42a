#include "drivers/libvirt/call_threads.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace hvagent::libvirt {

struct CallThreads::State {
    std::mutex mutex;
    std::condition_variable work;   // for the threads
    std::condition_variable ended;  // for the destructor
    std::deque<std::function<void()>> queue;
    std::function<void()> idle_hook;
    milliseconds idle_life;
    int most = 0;
    int threads = 0;
    int idle = 0;
    bool closing = false;

    void run();
};

void CallThreads::State::run() {
    std::unique_lock lock(mutex);
    while (true) {
        ++idle;
        work.wait_for(lock, idle_life, [&] { return closing || !queue.empty(); });
        --idle;
        if (queue.empty() && threads == 1 && idle_hook && !closing) {
            const std::function<void()> hook = idle_hook;
            lock.unlock();
            hook();
            lock.lock();
        }
        if (queue.empty()) break;
        std::function<void()> call = std::move(queue.front());
        queue.pop_front();
        lock.unlock();
        call();
        call = nullptr;  // what it owned goes before the thread counts as free
        lock.lock();
    }
    --threads;
    ended.notify_all();
}

CallThreads::CallThreads(int most, milliseconds idle_life) : state_(std::make_shared<State>()) {
    state_->most = most;
    state_->idle_life = idle_life;
}

CallThreads::~CallThreads() {
    std::unique_lock lock(state_->mutex);
    state_->closing = true;
    state_->idle_hook = nullptr;
    state_->work.notify_all();
    state_->ended.wait_for(lock, seconds(2), [&] { return state_->threads == 0; });
}

void CallThreads::submit(std::function<void()> call) {
    std::lock_guard lock(state_->mutex);
    if (state_->closing) return;
    state_->queue.push_back(std::move(call));
    if (static_cast<std::size_t>(state_->idle) >= state_->queue.size() || state_->threads >= state_->most) {
        state_->work.notify_one();
        return;
    }
    ++state_->threads;
    try {
        std::thread([state = state_] {
            pthread_setname_np(pthread_self(), "libvirt-call");
            state->run();
        }).detach();
    } catch (...) {
        --state_->threads;
        state_->queue.pop_back();
        throw;
    }
}

void CallThreads::when_idle(std::function<void()> hook) {
    std::lock_guard lock(state_->mutex);
    state_->idle_hook = std::move(hook);
}

int CallThreads::threads() const {
    std::lock_guard lock(state_->mutex);
    return state_->threads;
}

}  // namespace hvagent::libvirt
