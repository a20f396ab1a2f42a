#include "agent/operations/image/candidates.h"

#include <algorithm>

#include "agent/operations/attachments.h"
#include "agent/operations/image/handlers.h"
#include "agent/operations/storage/volume_files.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

PrimaryStorageId place_of(Services& services, const StorageCandidates& params) {
    if (!params.volume.empty()) return services.inventory.get<Volume>(params.volume).primary_storage;
    if (!params.snapshot.empty()) return services.inventory.get<VolumeSnapshot>(params.snapshot).primary_storage;
    throw Error(Code::invalid_argument, "either parameter 'volumeUuid' or 'volumeSnapshotUuid' is required");
}

}  // namespace

std::vector<BackupStorage> storages_for(Services& services, const PrimaryStorageId& source) {
    std::vector<BackupStorage> candidates;
    const auto primary = services.inventory.find<PrimaryStorage>(source);
    if (!primary) return candidates;  // of a volume without files
    for (const BackupStorage& known : services.inventory.list<BackupStorage>()) {
        if (!is_attached(services.inventory, backup_storage_to_zone, known.uuid.str(), primary->zone.str())) continue;
        const BackupStorage storage = refresh_backup_storage(services, known.uuid);
        if (storage.state == EnabledState::enabled && storage.status == ConnectionStatus::connected)
            candidates.push_back(storage);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const BackupStorage& a, const BackupStorage& b) {
        return a.available_capacity > b.available_capacity;
    });
    return candidates;
}

json get_storage_candidates(Services& services, const api::Call&, const StorageCandidates& params) {
    json inventories = json::array();
    for (const BackupStorage& storage : storages_for(services, place_of(services, params)))
        inventories.push_back(services.inventory.view("BackupStorage", storage.uuid.str()));
    return {{"inventories", inventories}};
}

}  // namespace hvagent::operations
