// CreateVmInstance: record, volumes, addresses, domain, start. When a step fails nothing of it stays.
#include "agent/operations/cdrom/boot_order.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/vm/new_vm.h"
#include "agent/operations/vm/parts.h"
#include "agent/operations/vm/removal.h"
#include "hvagent/flow.h"

namespace hvagent::operations {
namespace {

void record(Services& services, const CreateVm& params) {
    if (services.inventory.find<Vm>(params.uuid)) return;  // an earlier life of this job came so far
    const NewVm made = design_vm(services, params);
    if (params.strategy != CreationStrategy::just_create) {
        const std::string reason = services.capacity.why_not(made.vm.cpus, made.vm.memory);
        if (!reason.empty()) throw Error(Code::no_available_host, reason);
    }
    services.inventory.transaction([&] {
        services.inventory.insert(made.vm);
        for (const VmNic& nic : made.nics) services.inventory.insert(nic);
        for (const VmCdRom& cdrom : made.cdroms) services.inventory.insert(cdrom);
        for (const std::string& tag : made.system_tags)
            services.inventory.add_tag("VmInstance", params.uuid.str(), tag, "System");
        for (const std::string& tag : params.tags.user)
            services.inventory.add_tag("VmInstance", params.uuid.str(), tag, "User");
        if (!made.vm.default_l3.empty())
            services.inventory.modify<Vm>(params.uuid, [&](Vm& vm) { vm.default_l3 = made.vm.default_l3; });
    });
}

}  // namespace

json create_vm(Services& services, Job& job, const CreateVm& params) {
    if (params.strategy == CreationStrategy::instant_start) services.require_host_stays();
    record(services, params);
    if (params.strategy == CreationStrategy::just_create) return services.inventory.answer("VmInstance", params.uuid.str());
    try {
        state::Transition transition(services.states, params.uuid, VmState::starting);
        Flow flow(job);
        flow.step("make volumes", [&] { instantiate(services, job, params.uuid); });
        if (params.strategy == CreationStrategy::instant_start) {
            flow.step("start", [&] {
                if (services.states.look(params.uuid) == VmState::running) {
                    forget_order_of_one_boot(services, params.uuid);
                    return;  // an earlier life of this job came so far
                }
                transition.heading_for(VmState::running);
                boot(services, job, params.uuid);
            });
            flow.run();
            transition.arrived(VmState::running, "booted", [](Vm& vm) { vm.should_run = true; });
        } else {
            flow.run();
            transition.arrived(VmState::stopped, "never started");
        }
    } catch (...) {
        const Error error = current_error();
        // A stopping daemon leaves what is made: its next start runs the job again.
        const bool interrupted =
            job.cancellation().reason() == CancelReason::stopping && error.code() == Code::job_cancelled;
        if (!interrupted) remove_vm_completely(services, params.uuid);
        throw error;
    }
    return services.inventory.answer("VmInstance", params.uuid.str());
}

}  // namespace hvagent::operations
