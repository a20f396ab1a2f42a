// Primary and backup storages: parameters and handlers.
#pragma once
#include <string>
#include <vector>

#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct AddPrimaryStorage {
    PrimaryStorageId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    std::string url;
    std::string type;
    api::Tags tags;
};

struct AttachPrimaryStorage {
    PrimaryStorageId storage;
    ClusterId cluster;
};

struct ChangePrimaryStorageState {
    PrimaryStorageId storage;
    std::string event;
};

struct OnPrimaryStorage {
    PrimaryStorageId storage;
    std::string delete_mode = "Permissive";
};

struct StorageQuestion {
    std::vector<ZoneId> zones;
    std::vector<ClusterId> clusters;
    std::vector<PrimaryStorageId> storages;
    bool all = false;
};

struct AddBackupStorage {
    BackupStorageId uuid;
    std::string name;
    std::string description;
    std::string url;
    std::string hostname;
    std::string username;
    std::string password;
    int ssh_port = 22;
    std::string type;
    api::Tags tags;
};

struct AttachBackupStorage {
    BackupStorageId storage;
    ZoneId zone;
};

struct OnBackupStorage {
    BackupStorageId storage;
    std::string delete_mode = "Permissive";
};

// primary_storage.cpp
json add_shared_primary_storage(Services& services, Job& job, const AddPrimaryStorage& params);
json add_local_primary_storage(Services& services, Job& job, const AddPrimaryStorage& params);
json attach_primary_storage(Services& services, Job& job, const AttachPrimaryStorage& params);
json change_primary_storage_state(Services& services, Job& job, const ChangePrimaryStorageState& params);
json reconnect_primary_storage(Services& services, Job& job, const OnPrimaryStorage& params);
json delete_primary_storage(Services& services, Job& job, const OnPrimaryStorage& params);
json get_primary_storage_capacity(Services& services, const api::Call& call, const StorageQuestion& params);
void refresh_primary_storages(Services& services);

// backup_storage.cpp
json add_image_store(Services& services, Job& job, const AddBackupStorage& params);
json attach_backup_storage(Services& services, Job& job, const AttachBackupStorage& params);
json delete_backup_storage(Services& services, Job& job, const OnBackupStorage& params);
void refresh_backup_storages(Services& services);

}  // namespace hvagent::operations
