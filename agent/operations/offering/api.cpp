#include "agent/operations/offering/api.h"

#include "agent/operations/offering/handlers.h"
#include "agent/operations/rows.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;

constexpr const char* instance_path = "/instance-offerings";
constexpr const char* instance_one = "/instance-offerings/{uuid}";
constexpr const char* instance_actions = "/instance-offerings/{uuid}/actions";
constexpr const char* disk_path = "/disk-offerings";
constexpr const char* disk_one = "/disk-offerings/{uuid}";
constexpr const char* disk_actions = "/disk-offerings/{uuid}/actions";

// Names of the contract. They are kept and shown; one host leaves nothing to choose.
const std::vector<std::string> host_strategies{"LeastVmPreferredHostAllocatorStrategy",
                                               "DefaultHostAllocatorStrategy",
                                               "LastHostPreferredAllocatorStrategy",
                                               "MinimumCPUUsageHostAllocatorStrategy",
                                               "MinimumMemoryUsageHostAllocatorStrategy",
                                               "MaxInstancePerHostHostAllocatorStrategy",
                                               "Mevoco"};
const std::vector<std::string> storage_strategies{"DefaultPrimaryStorageAllocationStrategy", "LocalPrimaryStorageStrategy"};

Row create_instance_row(Services& services) {
    using P = CreateInstanceOffering;
    return Operation<P>{"CreateInstanceOffering", Method::post, instance_path, "Record a size for VMs"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "cpuNum", &P::cpus, "virtual CPUs")
        .range(1, 1024)
        .required(In::body, "memorySize", &P::memory, "memory in bytes")
        .range(1)
        .optional(In::body, "reservedMemorySize", &P::reserved_memory, "memory kept for the VM in bytes")
        .range(0)
        .optional(In::body, "allocatorStrategy", &P::allocator_strategy,
                  "how a host is chosen; a single host is always chosen")
        .values(host_strategies)
        .optional(In::body, "sortKey", &P::sort_key, "for sorting in lists")
        .optional(In::body, "type", &P::type, "UserVm")
        .values({"UserVm"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "InstanceOffering")
        .runs_as_job(queue_of(&P::uuid), with(services, create_instance_offering));
}

Row update_instance_row(Services& services) {
    using P = UpdateInstanceOffering;
    return Operation<P>{"UpdateInstanceOffering", Method::put, instance_actions, "Rename or describe an instance offering"}
        .action("updateInstanceOffering")
        .required(In::url, "uuid", &P::offering, "the instance offering")
        .optional(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "allocatorStrategy", &P::allocator_strategy, "how a host is chosen")
        .values(host_strategies)
        .returns("inventory", "InstanceOffering")
        .runs_as_job(queue_of(&P::offering), with(services, update_instance_offering));
}

Row change_instance_state_row(Services& services) {
    using P = ChangeOfferingState<InstanceOfferingId>;
    return Operation<P>{"ChangeInstanceOfferingState", Method::put, instance_actions,
                        "Allow or forbid new VMs of an instance offering"}
        .action("changeInstanceOfferingState")
        .required(In::url, "uuid", &P::offering, "the instance offering")
        .required(In::body, "stateEvent", &P::event, "Disabled offerings make no VMs")
        .returns("inventory", "InstanceOffering")
        .runs_as_job(queue_of(&P::offering), with(services, change_instance_offering_state));
}

Row delete_instance_row(Services& services) {
    using P = OnOffering<InstanceOfferingId>;
    return Operation<P>{"DeleteInstanceOffering", Method::del, instance_one,
                        "Delete an instance offering; its VMs keep their size"}
        .required(In::url, "uuid", &P::offering, "the instance offering; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::offering), with(services, delete_instance_offering));
}

Row create_disk_row(Services& services) {
    using P = CreateDiskOffering;
    return Operation<P>{"CreateDiskOffering", Method::post, disk_path, "Record a size for volumes"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "diskSize", &P::size, "size in bytes")
        .range(1)
        .optional(In::body, "sortKey", &P::sort_key, "for sorting in lists")
        .optional(In::body, "allocationStrategy", &P::allocator_strategy, "how a primary storage is chosen: kept and shown")
        .values(storage_strategies)
        .optional(In::body, "type", &P::type, "kept and shown")
        .values({"DefaultDiskOfferingType", "zstack"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "DiskOffering")
        .runs_as_job(queue_of(&P::uuid), with(services, create_disk_offering));
}

Row update_disk_row(Services& services) {
    using P = UpdateDiskOffering;
    return Operation<P>{"UpdateDiskOffering", Method::put, disk_actions, "Rename or describe a disk offering"}
        .action("updateDiskOffering")
        .required(In::url, "uuid", &P::offering, "the disk offering")
        .optional(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .returns("inventory", "DiskOffering")
        .runs_as_job(queue_of(&P::offering), with(services, update_disk_offering));
}

Row change_disk_state_row(Services& services) {
    using P = ChangeOfferingState<DiskOfferingId>;
    return Operation<P>{"ChangeDiskOfferingState", Method::put, disk_actions,
                        "Allow or forbid new volumes of a disk offering"}
        .action("changeDiskOfferingState")
        .required(In::url, "uuid", &P::offering, "the disk offering")
        .required(In::body, "stateEvent", &P::event, "Disabled offerings make no volumes")
        .returns("inventory", "DiskOffering")
        .runs_as_job(queue_of(&P::offering), with(services, change_disk_offering_state));
}

Row delete_disk_row(Services& services) {
    using P = OnOffering<DiskOfferingId>;
    return Operation<P>{"DeleteDiskOffering", Method::del, disk_one, "Delete a disk offering; its volumes keep their size"}
        .required(In::url, "uuid", &P::offering, "the disk offering; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::offering), with(services, delete_disk_offering));
}

}  // namespace

api::Table offering_api(Services& services) {
    return {
        create_instance_row(services),
        update_instance_row(services),
        change_instance_state_row(services),
        delete_instance_row(services),
        create_disk_row(services),
        update_disk_row(services),
        change_disk_state_row(services),
        delete_disk_row(services),
        query_row(services, "QueryInstanceOffering", "InstanceOffering", instance_path, "List instance offerings"),
        query_row(services, "QueryDiskOffering", "DiskOffering", disk_path, "List disk offerings"),
    };
}

}  // namespace hvagent::operations
