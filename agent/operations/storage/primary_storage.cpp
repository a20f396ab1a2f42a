#include <algorithm>

#include "agent/operations/attachments.h"
#include "agent/operations/holdings.h"
#include "agent/operations/storage/directories.h"
#include "agent/operations/storage/handlers.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/creation_plan.h"

namespace hvagent::operations {
namespace {

json answer(Services& services, const PrimaryStorageId& storage) {
    return services.inventory.answer("PrimaryStorage", storage.str());
}

// VMs that were only recorded get their volumes at their first start.
std::int64_t count_planned_vms(Services& services, const PrimaryStorageId& storage) {
    std::int64_t count = 0;
    for (const Vm& vm : services.inventory.list<Vm>({{"intent", std::string(to_text(VmIntent::created))}}))
        if (!vm.creation_plan.empty() && parse_creation_plan(vm.creation_plan).storage == storage) ++count;
    return count;
}

json add_primary_storage(Services& services, const AddPrimaryStorage& params, const char* type) {
    check_no_system_tags(params.tags, "primary storage");
    if (services.inventory.find<PrimaryStorage>(params.uuid))
        return answer(services, params.uuid);  // an earlier life of this job came so far
    PrimaryStorage storage;
    storage.uuid = params.uuid;
    storage.zone = params.zone;
    storage.name = params.name;
    storage.description = params.description;
    storage.type = type;
    storage.url = check_new_directory(services, params.url);
    services.files.prepare(storage.url);
    services.inventory.transaction([&] {
        services.inventory.get<Zone>(params.zone);
        check_new_directory(services, params.url);  // nobody took it meanwhile
        services.inventory.insert(storage);
        add_tags(services, "PrimaryStorage", params.uuid.str(), params.tags);
    });
    refresh_primary_storage(services, params.uuid);
    return answer(services, params.uuid);
}

std::vector<PrimaryStorage> asked_storages(Services& services, const StorageQuestion& params) {
    std::vector<PrimaryStorage> storages = services.inventory.list<PrimaryStorage>();
    const auto in = [](const auto& list, const auto& one) { return std::find(list.begin(), list.end(), one) != list.end(); };
    const auto attached = [&](const PrimaryStorage& storage) {
        for (const ClusterId& cluster : params.clusters)
            if (is_attached(services.inventory, primary_storage_to_cluster, storage.uuid.str(), cluster.str())) return true;
        return false;
    };
    if (!params.storages.empty())
        std::erase_if(storages, [&](const PrimaryStorage& one) { return !in(params.storages, one.uuid); });
    else if (!params.clusters.empty())
        std::erase_if(storages, [&](const PrimaryStorage& one) { return !attached(one); });
    else if (!params.zones.empty())
        std::erase_if(storages, [&](const PrimaryStorage& one) { return !in(params.zones, one.zone); });
    else if (!params.all)
        throw Error(Code::invalid_argument,
                    "one of 'zoneUuids', 'clusterUuids', 'primaryStorageUuids' and 'all' must say of what");
    return storages;
}

}  // namespace

json add_local_primary_storage(Services& services, Job&, const AddPrimaryStorage& params) {
    return add_primary_storage(services, params, local_storage);
}

json add_shared_primary_storage(Services& services, Job&, const AddPrimaryStorage& params) {
    return add_primary_storage(services, params, shared_mount_point);
}

json attach_primary_storage(Services& services, Job& job, const AttachPrimaryStorage& params) {
    services.inventory.transaction([&] {
        const auto storage = services.inventory.get<PrimaryStorage>(params.storage);
        const auto cluster = services.inventory.get<Cluster>(params.cluster);
        if (storage.zone != cluster.zone)
            throw Error(Code::operation_failed, "the primary storage " + storage.name + " and the cluster " + cluster.name +
                                                    " are in different zones");
        if (is_attached(services.inventory, primary_storage_to_cluster, params.storage.str(), params.cluster.str()) &&
            !job.resumed())
            throw Error(Code::operation_failed,
                        "the primary storage " + storage.name + " is attached to the cluster " + cluster.name + " already");
        attach(services.inventory, primary_storage_to_cluster, params.storage.str(), params.cluster.str());
    });
    return answer(services, params.storage);
}

json change_primary_storage_state(Services& services, Job&, const ChangePrimaryStorageState& params) {
    if (params.event != "enable" && params.event != "disable")
        throw Error(Code::no_capability, "parameter 'stateEvent': " + params.event +
                                             " is not offered; disable keeps new volumes away, "
                                             "and DeletePrimaryStorage removes a storage without volumes");
    services.inventory.modify<PrimaryStorage>(
        params.storage, [&](PrimaryStorage& record) { record.state = params.event == "enable" ? "Enabled" : "Disabled"; });
    return answer(services, params.storage);
}

json reconnect_primary_storage(Services& services, Job&, const OnPrimaryStorage& params) {
    const auto storage = services.inventory.get<PrimaryStorage>(params.storage);
    try {
        services.files.prepare(storage.url);
    } catch (...) {
        const Error error = current_error();
        refresh_primary_storage(services, params.storage);
        throw Error(Code::storage_disconnected,
                    "the primary storage " + storage.name + " cannot be used: " + error.details(), error);
    }
    if (refresh_primary_storage(services, params.storage).status != ConnectionStatus::connected)
        throw Error(Code::storage_disconnected,
                    "the primary storage " + storage.name + " does not answer at " + storage.url);
    return answer(services, params.storage);
}

json delete_primary_storage(Services& services, Job&, const OnPrimaryStorage& params) {
    services.inventory.transaction([&] {
        const auto storage = services.inventory.get<PrimaryStorage>(params.storage);
        Holdings()
            .add(services.inventory.count<Volume>({{"primaryStorageUuid", storage.uuid.str()}}), "volume")
            .add(count_planned_vms(services, storage.uuid), "VM to be started for the first time")
            .refuse_if_any("the primary storage " + storage.name);
        remove_attachments(services.inventory, storage.uuid.str());
        services.inventory.remove<PrimaryStorage>(storage.uuid);
    });
    return json::object();
}

json get_primary_storage_capacity(Services& services, const api::Call&, const StorageQuestion& params) {
    PrimaryStorage sum;
    for (const PrimaryStorage& one : asked_storages(services, params)) {
        const PrimaryStorage now = refresh_primary_storage(services, one.uuid);
        sum.total_capacity += now.total_capacity;
        sum.available_capacity += now.available_capacity;
        sum.total_physical += now.total_physical;
        sum.available_physical += now.available_physical;
    }
    return {{"totalCapacity", sum.total_capacity},
            {"availableCapacity", sum.available_capacity},
            {"totalPhysicalCapacity", sum.total_physical},
            {"availablePhysicalCapacity", sum.available_physical},
            {"success", true}};
}

void refresh_primary_storages(Services& services) {
    for (const PrimaryStorage& storage : services.inventory.list<PrimaryStorage>())
        refresh_primary_storage(services, storage.uuid);
}

}  // namespace hvagent::operations
