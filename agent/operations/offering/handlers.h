// Sizes that VMs and volumes are made from: parameters and handlers.
#pragma once
#include <optional>
#include <string>

#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct CreateInstanceOffering {
    InstanceOfferingId uuid;
    std::string name;
    std::string description;
    int cpus = 1;
    Bytes memory = 0;
    Bytes reserved_memory = 0;
    std::string allocator_strategy = InstanceOffering().allocator_strategy;
    std::string type = InstanceOffering().type;
    int sort_key = 0;
    api::Tags tags;
};

struct UpdateInstanceOffering {
    InstanceOfferingId offering;
    std::string name;
    std::optional<std::string> description;
    std::string allocator_strategy;
};

struct CreateDiskOffering {
    DiskOfferingId uuid;
    std::string name;
    std::string description;
    Bytes size = 0;
    std::string allocator_strategy = DiskOffering().allocator_strategy;
    std::string type = DiskOffering().type;
    int sort_key = 0;
    api::Tags tags;
};

struct UpdateDiskOffering {
    DiskOfferingId offering;
    std::string name;
    std::optional<std::string> description;
};

template <class OfferingId>
struct OnOffering {
    OfferingId offering;
    std::string delete_mode = "Permissive";
};

template <class OfferingId>
struct ChangeOfferingState {
    OfferingId offering;
    StateEvent event = StateEvent::enable;
};

// instance_offering.cpp
json create_instance_offering(Services& services, Job& job, const CreateInstanceOffering& params);
json update_instance_offering(Services& services, Job& job, const UpdateInstanceOffering& params);
json change_instance_offering_state(Services& services, Job& job, const ChangeOfferingState<InstanceOfferingId>& params);
json delete_instance_offering(Services& services, Job& job, const OnOffering<InstanceOfferingId>& params);

// disk_offering.cpp
json create_disk_offering(Services& services, Job& job, const CreateDiskOffering& params);
json update_disk_offering(Services& services, Job& job, const UpdateDiskOffering& params);
json change_disk_offering_state(Services& services, Job& job, const ChangeOfferingState<DiskOfferingId>& params);
json delete_disk_offering(Services& services, Job& job, const OnOffering<DiskOfferingId>& params);

}  // namespace hvagent::operations
