// SettleVmInstance: what a lost libvirt or a crash left open on a VM is ended.
#include <optional>

#include "agent/operations/rows.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/vm/settling.h"
#include "hvagent/log.h"

namespace hvagent::operations {

void let_go_of_guest(Services& services, const VmId& vm) {
    try {
        services.disks.let_go(vm);
    } catch (const Error& error) {
        log::warning("a guest that was held for a moment is let go later", {{"vm", vm.str()}, {"error", error.details()}});
        services.settle_later(vm);
    }
}

json settle_vm(Services& services, Job&, const OnVm& params) {
    services.states.wait_connected(services.settings.libvirt_wait);
    // A guest that cannot be let go now keeps nothing else open.
    std::optional<Error> held;
    try {
        services.disks.let_go(params.vm);
    } catch (const Error& error) {
        held = error;
    }
    settle_creations(services, params.vm);
    if (held) throw *held;
    services.is_settled(params.vm);
    return services.inventory.answer("VmInstance", params.vm.str());
}

}  // namespace hvagent::operations
