#include "drivers/libvirt/device_events.h"

#include <vector>

#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

using State = DeviceEvents::State;

State& state_of(void* opaque) {
    return **static_cast<std::shared_ptr<State>*>(opaque);
}

void free_state(void* opaque) {
    delete static_cast<std::shared_ptr<State>*>(opaque);
}

void on_removed(virConnectPtr, virDomainPtr, const char*, void* opaque) {
    state_of(opaque).wake();
}

void on_refused(virConnectPtr, virDomainPtr, const char* alias, void* opaque) {
    State& state = state_of(opaque);
    {
        const std::lock_guard lock(state.mutex);
        state.refused.insert(alias);
    }
    state.wake();
}

void on_block_job(virConnectPtr, virDomainPtr, const char* target, int, int status, void* opaque) {
    State& state = state_of(opaque);
    if (status == VIR_DOMAIN_BLOCK_JOB_FAILED) {
        const std::lock_guard lock(state.mutex);
        state.failed_jobs.insert(target);
    }
    state.wake();
}

}  // namespace

void State::wake() {
    const std::lock_guard lock(mutex);
    happened = true;
    changed.notify_all();
}

// The callbacks of one connection; made and ended inside calls, since both ask libvirt.
struct DeviceEvents::Registration {
    Registration(virDomainPtr domain, const std::shared_ptr<State>& state) {
        virConnectPtr borrowed = virDomainGetConnect(domain);
        virConnectRef(borrowed);
        connection.reset(borrowed, [](virConnectPtr open) { virConnectClose(open); });
        add(domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_removed), state);
        add(domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_refused), state);
        add(domain, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job), state);
    }
    ~Registration() {
        for (int id : callbacks) virConnectDomainEventDeregisterAny(connection.get(), id);
    }
    void add(virDomainPtr domain, int event, virConnectDomainEventGenericCallback callback,
             const std::shared_ptr<State>& state) {
        auto* target = new std::shared_ptr<State>(state);
        const int id = virConnectDomainEventRegisterAny(connection.get(), domain, event, callback, target, free_state);
        if (id >= 0)
            callbacks.push_back(id);
        else
            delete target;
    }
    Connect connection;
    std::vector<int> callbacks;
};

DeviceEvents::DeviceEvents(const DomainCalls& calls, const VmId& vm, Cancellation& cancel)
    : calls_(calls), vm_(vm), state_(std::make_shared<State>()), cancelled_(cancel, [state = state_] { state->wake(); }) {
    try {
        registration_ = calls_.read(vm, "listen to the events", [state = state_](virDomainPtr domain, const std::string&) {
            return std::make_shared<Registration>(domain, state);
        });
    } catch (const Error& error) {
        log::debug("no events of a VM's devices", {{"vm", vm.str()}, {"error", error.details()}});
    }
}

DeviceEvents::~DeviceEvents() {
    if (!registration_) return;
    try {
        auto dropped = std::make_shared<std::shared_ptr<Registration>>(std::move(registration_));
        calls_.in_background([dropped] { dropped->reset(); });
    } catch (const std::exception& error) {
        log::debug("events of a VM's devices stay registered", {{"vm", vm_.str()}, {"error", error.what()}});
    }
}

void DeviceEvents::wait(milliseconds longest) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, longest, [&] { return state_->happened; });
    state_->happened = false;
}

bool DeviceEvents::was_refused(const std::string& alias) const {
    const std::lock_guard lock(state_->mutex);
    return state_->refused.contains(alias);
}

bool DeviceEvents::job_failed(const std::string& target) const {
    const std::lock_guard lock(state_->mutex);
    return state_->failed_jobs.contains(target);
}

}  // namespace hvagent::libvirt
