#include "drivers/libvirt/observer_inbox.h"

namespace hvagent::libvirt {

void ObserverInbox::push(ObserverItem item) {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    if (auto* event = std::get_if<DomainEvent>(&item)) event->number = ++events_;
    items_.push_back(std::move(item));
    arrived_.notify_one();
}

std::optional<ObserverItem> ObserverInbox::next(Moment until) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || !items_.empty(); };
    if (until == Moment::max())
        arrived_.wait(lock, ready);
    else
        arrived_.wait_until(lock, until, ready);
    if (closed_ || items_.empty()) return std::nullopt;
    ObserverItem item = std::move(items_.front());
    items_.pop_front();
    return item;
}

std::int64_t ObserverInbox::events_so_far() const {
    std::lock_guard lock(mutex_);
    return events_;
}

void ObserverInbox::close() {
    std::deque<ObserverItem> dropped;  // connections close after the mutex is free
    std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(items_);
    arrived_.notify_all();
}

bool ObserverInbox::closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
}

}  // namespace hvagent::libvirt
