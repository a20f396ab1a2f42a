// A wish to stop, seen by the work that should stop.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "hvagent/error.h"

namespace hvagent {

enum class CancelReason { none, asked, timeout, stopping };
// "the job was cancelled", "the job's time is over", "the daemon is stopping".
std::string_view to_text(CancelReason reason);

// Thread-safe. Long work asks `check()` between its pieces, or registers a callback that wakes it.
class Cancellation {
public:
    // `work`: a name of what would stop, the job's uuid; empty: it has none.
    explicit Cancellation(std::string work = "") : work_(std::move(work)) {}
    const std::string& work() const { return work_; }

    bool wanted() const { return reason() != CancelReason::none; }
    // Of the first request; later ones change nothing.
    CancelReason reason() const { return reason_.load(std::memory_order_acquire); }
    // Throws Error(job_cancelled) once cancellation is wanted.
    void check() const {
        if (wanted()) throw Error(Code::job_cancelled, std::string(to_text(reason())));
    }
    void request(CancelReason reason = CancelReason::asked);

    // Calls `wake` once when cancellation is requested (at once if it already is); from the requesting thread. Never after
    // the subscription is gone: so `wake` must not make or end subscriptions, nor need a lock held while one is ended.
    class Subscription {
    public:
        Subscription(Cancellation& owner, std::function<void()> wake);
        ~Subscription();
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;

    private:
        Cancellation& owner_;
        int key_ = 0;
    };

private:
    const std::string work_;
    std::atomic<CancelReason> reason_{CancelReason::none};
    std::mutex mutex_;
    std::map<int, std::function<void()>> wakers_;
    int next_key_ = 1;
};

}  // namespace hvagent
