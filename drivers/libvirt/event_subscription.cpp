#include "drivers/libvirt/event_subscription.h"

#include <cstring>

namespace hvagent::libvirt {
namespace {

struct Target {
    std::shared_ptr<ObserverInbox> inbox;
    int life;
};

void free_target(void* opaque) {
    delete static_cast<Target*>(opaque);
}

void post(void* opaque, virDomainPtr domain, DomainEvent::Kind kind, int event, int detail, std::string text = {}) {
    const auto* target = static_cast<Target*>(opaque);
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (virDomainGetUUIDString(domain, uuid) < 0) return;
    VmId vm(without_dashes(uuid));
    // Ours are named by their uuid; events of most foreign domains end here.
    if (vm.str() != virDomainGetName(domain)) return;
    DomainEvent item;
    item.life = target->life;
    item.kind = kind;
    item.vm = std::move(vm);
    item.event = event;
    item.detail = detail;
    item.text = std::move(text);
    target->inbox->push(std::move(item));
}

int on_lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* opaque) {
    post(opaque, domain, DomainEvent::Kind::lifecycle, event, detail);
    return 0;
}

void on_reboot(virConnectPtr, virDomainPtr domain, void* opaque) {
    post(opaque, domain, DomainEvent::Kind::reboot, 0, 0);
}

void on_agent(virConnectPtr, virDomainPtr domain, int state, int reason, void* opaque) {
    post(opaque, domain, DomainEvent::Kind::guest_agent, state, reason);
}

void on_io_error(virConnectPtr, virDomainPtr domain, const char*, const char* device, int action, const char* reason,
                 void* opaque) {
    std::string text = device && *device ? device : "a disk";
    if (reason && *reason) text += ": " + std::string(reason);
    const int no_space = reason && std::strcmp(reason, "enospc") == 0 ? 1 : 0;
    post(opaque, domain, DomainEvent::Kind::io_error, action, no_space, std::move(text));
}

void on_watchdog(virConnectPtr, virDomainPtr domain, int action, void* opaque) {
    post(opaque, domain, DomainEvent::Kind::watchdog, action, 0);
}

std::string close_reason(int reason) {
    switch (reason) {
        case VIR_CONNECT_CLOSE_REASON_EOF: return "libvirt closed the connection";
        case VIR_CONNECT_CLOSE_REASON_KEEPALIVE: return "libvirt does not answer keepalive messages";
        case VIR_CONNECT_CLOSE_REASON_CLIENT: return "the connection was closed";
        default: return "the connection to libvirt broke";
    }
}

void on_close(virConnectPtr, int reason, void* opaque) {
    const auto* target = static_cast<Target*>(opaque);
    target->inbox->push(ConnectionLost{target->life, close_reason(reason)});
}

}  // namespace

EventSubscription::EventSubscription(Connect connection, std::shared_ptr<ObserverInbox> inbox, int life)
    : connection_(std::move(connection)), inbox_(std::move(inbox)), life_(life) {
    watch_for_close();
    subscribe(VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_lifecycle, true);
    subscribe(VIR_DOMAIN_EVENT_ID_REBOOT, on_reboot, false);
    subscribe(VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, on_agent, false);
    subscribe(VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, on_io_error, false);
    subscribe(VIR_DOMAIN_EVENT_ID_WATCHDOG, on_watchdog, false);
}

void EventSubscription::watch_for_close() {
    // libvirt's test driver has no connection to lose; it accepts the callback and never frees its argument.
    if (std::strcmp(virConnectGetType(connection_.get()), "TEST") == 0) return;
    auto* target = new Target{inbox_, life_};
    if (virConnectRegisterCloseCallback(connection_.get(), on_close, target, free_target) < 0) delete target;
}

template <class Callback>
void EventSubscription::subscribe(int event_id, Callback callback, bool required) {
    auto* target = new Target{inbox_, life_};
    const int id = virConnectDomainEventRegisterAny(connection_.get(), nullptr, event_id,
                                                    VIR_DOMAIN_EVENT_CALLBACK(callback), target, free_target);
    if (id >= 0) {
        callbacks_.push_back(id);
        return;
    }
    delete target;
    if (required) throw_last_error("register for libvirt's events");
}

EventSubscription::~EventSubscription() {
    for (int id : callbacks_) virConnectDomainEventDeregisterAny(connection_.get(), id);
    virConnectUnregisterCloseCallback(connection_.get(), on_close);
}

}  // namespace hvagent::libvirt
