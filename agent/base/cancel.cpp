#include "hvagent/cancel.h"

namespace hvagent {

std::string_view to_text(CancelReason reason) {
    switch (reason) {
        case CancelReason::none: return "";
        case CancelReason::asked: return "the job was cancelled";
        case CancelReason::timeout: return "the job's time is over";
        case CancelReason::stopping: return "the daemon is stopping";
    }
    return "";
}

void Cancellation::request(CancelReason reason) {
    // Under the lock: a subscription that goes meanwhile waits, so nothing is woken that is no longer there.
    const std::lock_guard lock(mutex_);
    if (wanted()) return;
    reason_.store(reason, std::memory_order_release);
    for (const auto& [key, wake] : wakers_) wake();
}

Cancellation::Subscription::Subscription(Cancellation& owner, std::function<void()> wake) : owner_(owner) {
    {
        std::lock_guard lock(owner_.mutex_);
        if (!owner_.wanted()) {
            key_ = owner_.next_key_++;
            owner_.wakers_.emplace(key_, std::move(wake));
            return;
        }
    }
    wake();
}

Cancellation::Subscription::~Subscription() {
    std::lock_guard lock(owner_.mutex_);
    owner_.wakers_.erase(key_);
}

}  // namespace hvagent
