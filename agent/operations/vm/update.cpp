// Names, sizes, HA level: what changes without a restart, and what waits for the next start.
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/vm/parts.h"
#include "agent/operations/vm/tags.h"

namespace hvagent::operations {
namespace {

struct Size {
    int cpus;
    Bytes memory;
};

// A stopped VM takes the size at its next start; a running one grows now, or is refused.
void resize(Services& services, const Vm& vm, const Size& wanted) {
    if (wanted.cpus == vm.cpus && wanted.memory == vm.memory) return;
    if (vm.observed == VmState::stopped || vm.intent == VmIntent::created) return;
    if (vm.observed != VmState::running)
        throw Error(Code::operation_failed, "CPU and memory can be changed while the VM is Running or Stopped, but it is " +
                                                std::string(to_text(vm.state())));
    if (!services.settings.hotplug)
        throw Error(Code::invalid_argument,
                    "CPU and memory of a running VM can be changed only with the setting [vm] hotplug; stop the VM first");
    if (wanted.cpus < vm.cpus || wanted.memory < vm.memory)
        throw Error(Code::invalid_argument, "CPU and memory of a running VM can only grow; stop the VM first");
    const auto room = services.capacity.reserve(vm.uuid, wanted.cpus, wanted.memory);
    if (wanted.cpus > vm.cpus) {
        services.power.set_live_cpus(vm.uuid, wanted.cpus);
        // At once: the CPUs are there also when the memory is refused.
        services.inventory.modify<Vm>(vm.uuid, [&](Vm& record) { record.cpus = wanted.cpus; });
    }
    if (wanted.memory > vm.memory) services.power.set_live_memory(vm.uuid, wanted.memory);
}

void check_recorded_state(const Vm& vm, RecordedState state) {
    const VmState asked = state == RecordedState::running ? VmState::running : VmState::stopped;
    if (vm.state() != asked)
        throw Error(Code::invalid_argument,
                    "parameter 'state': the VM is " + std::string(to_text(vm.state())) +
                        "; a state is what the host shows and cannot be written, use StartVmInstance or StopVmInstance");
}

void check_default_network(Services& services, const VmId& vm, const L3NetworkId& network) {
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}}))
        if (nic.l3_network == network) return;
    throw Error(Code::invalid_argument,
                "parameter 'defaultL3NetworkUuid': the VM has no NIC in the L3 network " + network.str());
}

}  // namespace

void heed_ha_level(Services& services, const VmId& vm, const std::string& level) {
    // NeverStop means that it should run from now on, also when it is down at this moment.
    if (level == "NeverStop")
        services.inventory.modify<Vm>(vm, [](Vm& record) { record.should_run = record.intent == VmIntent::kept; });
}

json update_vm(Services& services, Job&, const UpdateVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    const Size wanted{params.cpus.value_or(vm.cpus), params.memory.value_or(vm.memory)};
    if (params.state) check_recorded_state(vm, *params.state);
    if (!params.default_l3.empty()) check_default_network(services, params.vm, params.default_l3);
    if (params.reserved_memory.value_or(vm.reserved_memory) > wanted.memory)
        throw Error(Code::invalid_argument,
                    "parameter 'reservedMemorySize' must not exceed the memory size, " + std::to_string(wanted.memory));
    resize(services, vm, wanted);
    services.inventory.modify<Vm>(params.vm, [&](Vm& record) {
        if (params.name && !params.name->empty()) record.name = *params.name;
        if (params.description) record.description = *params.description;
        if (!params.default_l3.empty()) record.default_l3 = params.default_l3;
        if (!params.platform.empty()) record.platform = params.platform;
        if (!params.guest_os_type.empty()) record.guest_os_type = params.guest_os_type;
        if (params.reserved_memory) record.reserved_memory = *params.reserved_memory;
        record.cpus = wanted.cpus;
        record.memory = wanted.memory;
    });
    return services.inventory.answer("VmInstance", params.vm.str());
}

json change_instance_offering(Services& services, Job&, const ChangeOffering& params) {
    const auto offering = services.inventory.get<InstanceOffering>(params.offering);
    if (offering.state != EnabledState::enabled)
        throw Error(Code::operation_failed, "the instance offering " + offering.name + " is Disabled");
    resize(services, services.inventory.get<Vm>(params.vm), {offering.cpu_num, offering.memory});
    services.inventory.modify<Vm>(params.vm, [&](Vm& record) {
        record.offering = offering.uuid;
        record.cpus = offering.cpu_num;
        record.memory = offering.memory;
        record.reserved_memory = offering.reserved_memory;
        record.allocator_strategy = offering.allocator_strategy;
    });
    return services.inventory.answer("VmInstance", params.vm.str());
}

json set_ha_level(Services& services, Job&, const SetHaLevel& params) {
    if (params.level == "FaultTolerance")
        throw Error(Code::no_capability,
                    "parameter 'level': FaultTolerance is not offered, only NeverStop and OnHostFailure");
    services.inventory.transaction([&] {
        services.inventory.remove_system_tags(params.vm.str(), "ha");
        services.inventory.add_tag("VmInstance", params.vm.str(), "ha::" + params.level, "System");
        heed_ha_level(services, params.vm, params.level);
    });
    services.consider_ha(params.vm);
    return json::object();
}

json delete_ha_level(Services& services, Job&, const OnVm& params) {
    services.inventory.remove_system_tags(params.vm.str(), "ha");
    return json::object();
}

json get_ha_level(Services& services, const api::Call&, const OnVm& params) {
    json answer = json::object();
    if (const auto level = services.inventory.system_tag(params.vm.str(), "ha")) answer["level"] = *level;
    return answer;
}

}  // namespace hvagent::operations
