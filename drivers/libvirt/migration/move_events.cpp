#include "drivers/libvirt/migration/move_events.h"

#include <vector>

#include "drivers/libvirt/migration/move_stats.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

MoveState& state_of(void* opaque) {
    return **static_cast<std::shared_ptr<MoveState>*>(opaque);
}

void free_state(void* opaque) {
    delete static_cast<std::shared_ptr<MoveState>*>(opaque);
}

void on_iteration(virConnectPtr, virDomainPtr, int iteration, void* opaque) {
    state_of(opaque).begin_iteration(iteration);
}

void on_completed(virConnectPtr, virDomainPtr, virTypedParameterPtr params, int count, void* opaque) {
    const MoveStats stats(params, count);
    if (stats.is_outgoing()) state_of(opaque).complete(stats.result());
}

int on_lifecycle(virConnectPtr, virDomainPtr, int, int, void* opaque) {
    state_of(opaque).wake();
    return 0;
}

}  // namespace

// The callbacks of one connection; made and ended inside calls, since both ask libvirt.
struct MoveEvents::Registration {
    Registration(virDomainPtr domain, const std::shared_ptr<MoveState>& state) {
        virConnectPtr borrowed = virDomainGetConnect(domain);
        virConnectRef(borrowed);
        connection.reset(borrowed, [](virConnectPtr open) { virConnectClose(open); });
        add(domain, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_iteration), state);
        add(domain, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_completed), state);
        add(domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), state);
    }
    ~Registration() {
        for (int id : callbacks) virConnectDomainEventDeregisterAny(connection.get(), id);
    }
    void add(virDomainPtr domain, int event, virConnectDomainEventGenericCallback callback,
             const std::shared_ptr<MoveState>& state) {
        auto* target = new std::shared_ptr<MoveState>(state);
        const int id = virConnectDomainEventRegisterAny(connection.get(), domain, event, callback, target, free_state);
        if (id >= 0)
            callbacks.push_back(id);
        else
            delete target;
    }
    Connect connection;
    std::vector<int> callbacks;
};

MoveEvents::MoveEvents(const DomainCalls& calls, const VmId& vm, const std::shared_ptr<MoveState>& state)
    : calls_(calls), vm_(vm) {
    try {
        registration_ = calls_.read(vm, "listen to the move", [state](virDomainPtr domain, const std::string&) {
            return std::make_shared<Registration>(domain, state);
        });
    } catch (const Error& error) {
        log::debug("no events of a move", {{"vm", vm.str()}, {"error", error.details()}});
    }
}

MoveEvents::~MoveEvents() {
    if (!registration_) return;
    try {
        auto dropped = std::make_shared<std::shared_ptr<Registration>>(std::move(registration_));
        calls_.in_background([dropped] { dropped->reset(); });
    } catch (const std::exception& error) {
        log::debug("events of a move stay registered", {{"vm", vm_.str()}, {"error", error.what()}});
    }
}

}  // namespace hvagent::libvirt
