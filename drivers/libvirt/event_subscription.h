// The callbacks of one connection, registered as long as this lives. They run on libvirt's event loop, so they only copy
// and post.
#pragma once
#include <memory>
#include <vector>

#include "drivers/libvirt/handles.h"
#include "drivers/libvirt/observer_inbox.h"

namespace hvagent::libvirt {

class EventSubscription {
public:
    // Error when libvirt refuses lifecycle events; events it does not know are done without.
    EventSubscription(Connect connection, std::shared_ptr<ObserverInbox> inbox, int life);
    ~EventSubscription();
    EventSubscription(const EventSubscription&) = delete;
    EventSubscription& operator=(const EventSubscription&) = delete;

    const Connect& connection() const { return connection_; }

private:
    void watch_for_close();
    template <class Callback>
    void subscribe(int event_id, Callback callback, bool required);

    const Connect connection_;
    const std::shared_ptr<ObserverInbox> inbox_;
    const int life_;
    std::vector<int> callbacks_;
};

}  // namespace hvagent::libvirt
