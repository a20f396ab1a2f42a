// Faults that tests order from fakes, by the name of the method that shall suffer.
#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "hvagent/cancel.h"
#include "hvagent/error.h"

namespace hvagent {

// Thread-safe.
class Faults {
public:
    // The next call of `method` throws.
    void fail_next(const std::string& method, Error error) {
        const std::lock_guard lock(mutex_);
        failures_.insert_or_assign(method, std::move(error));
    }
    // Calls of `method` wait until release(), or until their job is cancelled.
    void hang(const std::string& method) {
        const std::lock_guard lock(mutex_);
        hanging_.insert(method);
    }
    void release(const std::string& method) {
        const std::lock_guard lock(mutex_);
        hanging_.erase(method);
        changed_.notify_all();
    }
    // True when a call of `method` is waiting, within ten seconds.
    bool wait_until_hanging(const std::string& method) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return waiting_[method] > 0; });
    }

    // For fakes: the first line of each method.
    void happen(const std::string& method, Cancellation* cancel = nullptr) {
        std::optional<Cancellation::Subscription> wake;
        if (cancel) {
            wake.emplace(*cancel, [this] {
                const std::lock_guard lock(mutex_);
                changed_.notify_all();
            });
        }
        std::unique_lock lock(mutex_);
        if (const auto found = failures_.find(method); found != failures_.end()) {
            const Error error = found->second;
            failures_.erase(found);
            throw error;
        }
        ++waiting_[method];
        changed_.notify_all();
        changed_.wait(lock, [&] { return !hanging_.contains(method) || (cancel && cancel->wanted()); });
        --waiting_[method];
        lock.unlock();
        if (cancel) cancel->check();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Error> failures_;
    std::set<std::string> hanging_;
    std::map<std::string, int> waiting_;
};

}  // namespace hvagent
