#include "agent/operations/offering/handlers.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {

json create_instance_offering(Services& services, Job&, const CreateInstanceOffering& params) {
    if (params.reserved_memory > params.memory)
        throw Error(Code::invalid_argument,
                    "parameter 'reservedMemorySize' must not exceed the memory size, " + std::to_string(params.memory));
    check_vm_tags(params.tags.system);                           // they are copied onto the VMs
    if (services.inventory.find<InstanceOffering>(params.uuid))  // an earlier life of this job came so far
        return services.inventory.answer("InstanceOffering", params.uuid.str());
    InstanceOffering offering;
    offering.uuid = params.uuid;
    offering.name = params.name;
    offering.description = params.description;
    offering.cpu_num = params.cpus;
    offering.memory = params.memory;
    offering.reserved_memory = params.reserved_memory;
    offering.allocator_strategy = params.allocator_strategy;
    offering.type = params.type;
    offering.sort_key = params.sort_key;
    services.inventory.transaction([&] {
        services.inventory.insert(offering);
        add_tags(services, "InstanceOffering", params.uuid.str(), params.tags);
    });
    return services.inventory.answer("InstanceOffering", params.uuid.str());
}

json update_instance_offering(Services& services, Job&, const UpdateInstanceOffering& params) {
    services.inventory.modify<InstanceOffering>(params.offering, [&](InstanceOffering& record) {
        if (!params.name.empty()) record.name = params.name;
        if (params.description) record.description = *params.description;
        if (!params.allocator_strategy.empty()) record.allocator_strategy = params.allocator_strategy;
    });
    return services.inventory.answer("InstanceOffering", params.offering.str());
}

json change_instance_offering_state(Services& services, Job&, const ChangeOfferingState<InstanceOfferingId>& params) {
    services.inventory.modify<InstanceOffering>(params.offering,
                                                [&](InstanceOffering& record) { record.state = state_after(params.event); });
    return services.inventory.answer("InstanceOffering", params.offering.str());
}

json delete_instance_offering(Services& services, Job&, const OnOffering<InstanceOfferingId>& params) {
    services.inventory.transaction([&] {
        for (const Vm& vm : services.inventory.list<Vm>({{"instanceOfferingUuid", params.offering.str()}}))
            services.inventory.modify<Vm>(vm.uuid, [](Vm& record) { record.offering = InstanceOfferingId(); });
        services.inventory.remove<InstanceOffering>(params.offering);
    });
    return json::object();
}

}  // namespace hvagent::operations
