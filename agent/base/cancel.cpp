#include "hvagent/cancel.h"

namespace hvagent {

void Cancellation::request() {
    // Under the lock: a subscription that goes meanwhile waits, so nothing is woken that is no longer there.
    const std::lock_guard lock(mutex_);
    if (wanted_.exchange(true, std::memory_order_acq_rel)) return;
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
