#include "drivers/libvirt/device_events.h"

namespace hvagent::libvirt {
namespace {

using State = DeviceEvents::State;

void on_removed(virConnectPtr, virDomainPtr, const char*, void* opaque) {
    state_of_listener<State>(opaque).wake();
}

void on_refused(virConnectPtr, virDomainPtr, const char* alias, void* opaque) {
    State& state = state_of_listener<State>(opaque);
    {
        const std::lock_guard lock(state.mutex);
        state.refused.insert(alias);
    }
    state.wake();
}

void on_block_job(virConnectPtr, virDomainPtr, const char* target, int, int status, void* opaque) {
    State& state = state_of_listener<State>(opaque);
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

DeviceEvents::DeviceEvents(const DomainCalls& calls, const VmId& vm, Cancellation& cancel)
    : state_(std::make_shared<State>()),
      listener_(calls, vm, "a VM's devices", state_,
                {{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_removed)},
                 {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_refused)},
                 {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job)}}),
      cancelled_(cancel, [state = state_] { state->wake(); }) {}

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
