#include "agent/operations/offering/handlers.h"
#include "agent/operations/vm/creation_plan.h"

namespace hvagent::operations {
namespace {

// Volumes that a recorded VM gets at its first start.
void forget_in_plans(Services& services, const DiskOfferingId& offering) {
    for (const Vm& vm : services.inventory.list<Vm>({{"intent", std::string(to_text(VmIntent::created))}})) {
        if (vm.creation_plan.find(offering.str()) == std::string::npos) continue;
        CreationPlan plan = parse_creation_plan(vm.creation_plan);
        for (PlannedDisk& disk : plan.disks)
            if (disk.offering == offering) disk.offering = DiskOfferingId();
        services.inventory.modify<Vm>(vm.uuid, [&](Vm& record) { record.creation_plan = to_text(plan); });
    }
}

}  // namespace

json create_disk_offering(Services& services, Job&, const CreateDiskOffering& params) {
    check_no_system_tags(params.tags, "disk offering");
    if (services.inventory.find<DiskOffering>(params.uuid))  // an earlier life of this job came so far
        return services.inventory.answer("DiskOffering", params.uuid.str());
    DiskOffering offering;
    offering.uuid = params.uuid;
    offering.name = params.name;
    offering.description = params.description;
    offering.disk_size = params.size;
    offering.allocator_strategy = params.allocator_strategy;
    offering.type = params.type;
    offering.sort_key = params.sort_key;
    services.inventory.transaction([&] {
        services.inventory.insert(offering);
        add_tags(services, "DiskOffering", params.uuid.str(), params.tags);
    });
    return services.inventory.answer("DiskOffering", params.uuid.str());
}

json update_disk_offering(Services& services, Job&, const UpdateDiskOffering& params) {
    services.inventory.modify<DiskOffering>(params.offering, [&](DiskOffering& record) {
        if (!params.name.empty()) record.name = params.name;
        if (params.description) record.description = *params.description;
    });
    return services.inventory.answer("DiskOffering", params.offering.str());
}

json change_disk_offering_state(Services& services, Job&, const ChangeOfferingState<DiskOfferingId>& params) {
    services.inventory.modify<DiskOffering>(params.offering,
                                            [&](DiskOffering& record) { record.state = state_after(params.event); });
    return services.inventory.answer("DiskOffering", params.offering.str());
}

json delete_disk_offering(Services& services, Job&, const OnOffering<DiskOfferingId>& params) {
    services.inventory.transaction([&] {
        for (const Volume& volume : services.inventory.list<Volume>({{"diskOfferingUuid", params.offering.str()}}))
            services.inventory.modify<Volume>(volume.uuid, [](Volume& record) { record.disk_offering = DiskOfferingId(); });
        forget_in_plans(services, params.offering);
        services.inventory.remove<DiskOffering>(params.offering);
    });
    return json::object();
}

}  // namespace hvagent::operations
