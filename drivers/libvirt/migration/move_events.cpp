#include "drivers/libvirt/migration/move_events.h"

#include "drivers/libvirt/migration/move_stats.h"

namespace hvagent::libvirt {
namespace {

void on_iteration(virConnectPtr, virDomainPtr, int iteration, void* opaque) {
    state_of_listener<MoveState>(opaque).begin_iteration(iteration);
}

void on_completed(virConnectPtr, virDomainPtr, virTypedParameterPtr params, int count, void* opaque) {
    const MoveStats stats(params, count);
    if (stats.is_outgoing()) state_of_listener<MoveState>(opaque).complete(stats.result());
}

int on_lifecycle(virConnectPtr, virDomainPtr, int, int, void* opaque) {
    state_of_listener<MoveState>(opaque).wake();
    return 0;
}

}  // namespace

DomainListener listen_to_move(const DomainCalls& calls, const VmId& vm, const std::shared_ptr<MoveState>& state) {
    return DomainListener(calls, vm, "a move", state,
                          {{VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_iteration)},
                           {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_completed)},
                           {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)}});
}

}  // namespace hvagent::libvirt
