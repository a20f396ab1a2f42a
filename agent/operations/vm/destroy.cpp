// Destroy, recover, expunge.
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/vm/removal.h"
#include "hvagent/flow.h"

namespace hvagent::operations {

using state::Transition;

namespace {

json finish_destroying(Services& services, const VmId& vm) {
    if (services.settings.deletion_policy == "Direct") remove_root_and_records(services, vm);
    return json::object();
}

}  // namespace

json destroy_vm(Services& services, Job& job, const DestroyVm& params) {
    const auto vm = services.inventory.find<Vm>(params.vm);
    if (!vm) return json::object();
    if (vm->intent == VmIntent::created) {
        const Transition transition(services.states, params.vm, VmState::destroying);
        remove_never_started(services, params.vm);
        return json::object();
    }
    if (vm->intent == VmIntent::destroyed) return finish_destroying(services, params.vm);
    Transition transition(services.states, params.vm, VmState::destroying);
    Flow(job)
        .step("power off", [&] { take_off_host(services, params.vm); })
        .step("detach data volumes", [&] { let_go_of_data_volumes(services, params.vm); })
        .run();
    transition.arrived(VmState::stopped, "destroyed", [&](Vm& record) {
        record.intent = VmIntent::destroyed;
        record.destroyed_at = services.clock.now();
        record.should_run = false;
    });
    return finish_destroying(services, params.vm);
}

json recover_vm(Services& services, Job& job, const OnVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    if (job.resumed() && vm.intent == VmIntent::kept) return services.inventory.answer("VmInstance", params.vm.str());
    const Volume root = services.inventory.get<Volume>(vm.root_volume);
    if (!services.files.exists(root.install_path))
        throw Error(Code::operation_failed,
                    "the root volume " + root.uuid.str() + " has no file any more: " + root.install_path);
    services.inventory.modify<Vm>(params.vm, [](Vm& record) {
        record.intent = VmIntent::kept;
        record.observed = VmState::stopped;
        record.observed_reason = "recovered";
        record.destroyed_at = Time{};
    });
    return services.inventory.answer("VmInstance", params.vm.str());
}

json expunge_vm(Services& services, Job&, const OnVm& params) {
    if (!services.inventory.find<Vm>(params.vm)) return json::object();
    services.inventory.observe<Vm>(params.vm, [](Vm& record) { record.transition = VmState::expunging; });
    try {
        take_off_host(services, params.vm);  // done by destroy already, unless somebody defined it again by hand
        remove_root_and_records(services, params.vm);
    } catch (...) {
        const Error error = current_error();
        services.inventory.observe<Vm>(params.vm, [](Vm& record) { record.transition.reset(); });
        throw error;
    }
    return json::object();
}

}  // namespace hvagent::operations
