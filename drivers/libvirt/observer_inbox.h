// What reaches the observer's thread: from libvirt's callbacks and from the calls it started.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "drivers/libvirt/domain_state.h"
#include "drivers/libvirt/handles.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/vm_observer.h"

namespace hvagent::libvirt {

class EventSubscription;

struct SeenDomain {
    VmId vm;
    StateAndReason state;
    bool held = false;  // of the first picture of a connection
};

// `life` numbers the connections of one observer: what comes from an earlier one is dropped.
struct Connected {
    int life = 0;
    std::shared_ptr<EventSubscription> subscription;
    std::vector<SeenDomain> picture;
};
struct ConnectFailed {
    int life = 0;
    std::string reason;
};
struct ConnectionLost {
    int life = 0;
    std::string reason;
};
struct DomainEvent {
    enum class Kind { lifecycle, reboot, guest_agent, io_error, watchdog };
    int life = 0;
    std::int64_t number = 0;  // in order of arrival, given by the inbox
    Kind kind = Kind::lifecycle;
    VmId vm;
    int event = 0;   // virDomainEventType or the kind's own value
    int detail = 0;  // of an I/O error: 1 when there was no space
    std::string text;
};
// The states libvirt shows now, asked for when `asked_after` events had arrived.
struct Audit {
    int life = 0;
    std::int64_t asked_after = 0;
    std::vector<SeenDomain> states;
};

using ObserverItem = std::variant<Connected, ConnectFailed, ConnectionLost, DomainEvent, Audit>;

// Thread-safe.
class ObserverInbox {
public:
    void push(ObserverItem item);
    // Nothing at `until`, and at once after close().
    std::optional<ObserverItem> next(Moment until);
    std::int64_t events_so_far() const;
    void close();
    bool closed() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<ObserverItem> items_;
    std::int64_t events_ = 0;
    bool closed_ = false;
};

}  // namespace hvagent::libvirt
