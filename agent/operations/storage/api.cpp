#include "agent/operations/storage/api.h"

#include "agent/operations/rows.h"
#include "agent/operations/storage/check.h"
#include "agent/operations/storage/handlers.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::json;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;

constexpr const char* primary_actions = "/primary-storage/{uuid}/actions";

Row add_local_row(Services& services) {
    using P = AddPrimaryStorage;
    return Operation<P>{"AddLocalPrimaryStorage", Method::post, "/primary-storage/local-storage",
                        "Keep volumes in a directory of this host"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "url", &P::url, "the directory; it is made when it is not there")
        .max_length(2048)
        .required(In::body, "zoneUuid", &P::zone, "its zone")
        .optional(In::body, "type", &P::type, "LocalStorage")
        .values({"LocalStorage"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "PrimaryStorage")
        .runs_as_job(queue_of(&P::uuid), with(services, add_local_primary_storage));
}

Row add_shared_row(Services& services) {
    using P = AddPrimaryStorage;
    return Operation<P>{"AddSharedMountPointPrimaryStorage", Method::post, "/primary-storage/smp",
                        "Keep volumes in a directory that other hosts see too"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "url", &P::url,
                  "where the shared directory is mounted; add the storage with one resourceUuid on every host")
        .max_length(2048)
        .required(In::body, "zoneUuid", &P::zone, "its zone")
        .optional(In::body, "type", &P::type, "SharedMountPoint")
        .values({"SharedMountPoint"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "PrimaryStorage")
        .runs_as_job(queue_of(&P::uuid), with(services, add_shared_primary_storage));
}

Row attach_primary_row(Services& services) {
    using P = AttachPrimaryStorage;
    return Operation<P>{"AttachPrimaryStorageToCluster", Method::post,
                        "/clusters/{clusterUuid}/primary-storage/{primaryStorageUuid}",
                        "Let a cluster use a primary storage"}
        .required(In::url, "clusterUuid", &P::cluster, "the cluster")
        .required(In::url, "primaryStorageUuid", &P::storage, "the primary storage, of the same zone")
        .returns("inventory", "PrimaryStorage")
        .runs_as_job(queue_of(&P::storage), with(services, attach_primary_storage));
}

Row change_primary_state_row(Services& services) {
    using P = ChangePrimaryStorageState;
    return Operation<P>{"ChangePrimaryStorageState", Method::put, primary_actions,
                        "Allow or forbid new volumes on a primary storage"}
        .action("changePrimaryStorageState")
        .required(In::url, "uuid", &P::storage, "the primary storage")
        .required(In::body, "stateEvent", &P::event, "enable or disable; maintain and deleting are refused")
        .values({"enable", "disable", "maintain", "deleting"})
        .returns("inventory", "PrimaryStorage")
        .fails_as(Code::change_state_failed)
        .runs_as_job(queue_of(&P::storage), with(services, change_primary_storage_state));
}

Row reconnect_primary_row(Services& services) {
    using P = OnPrimaryStorage;
    return Operation<P>{"ReconnectPrimaryStorage", Method::put, primary_actions,
                        "Look whether a primary storage can be used"}
        .action("reconnectPrimaryStorage")
        .required(In::url, "uuid", &P::storage, "the primary storage")
        .returns("inventory", "PrimaryStorage")
        .runs_as_job(queue_of(&P::storage), with(services, reconnect_primary_storage));
}

Row delete_primary_row(Services& services) {
    using P = OnPrimaryStorage;
    return Operation<P>{"DeletePrimaryStorage", Method::del, "/primary-storage/{uuid}",
                        "Forget a primary storage without volumes; its directory stays"}
        .required(In::url, "uuid", &P::storage, "the primary storage; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::storage), with(services, delete_primary_storage));
}

Row capacity_row(Services& services) {
    using P = StorageQuestion;
    const json number{{"type", "integer"}, {"format", "int64"}};
    return Operation<P>{"GetPrimaryStorageCapacity", Method::get, "/primary-storage/capacities",
                        "Room on primary storages, in bytes"}
        .optional(In::query, "zoneUuids", &P::zones, "of these zones")
        .optional(In::query, "clusterUuids", &P::clusters, "of these clusters")
        .optional(In::query, "primaryStorageUuids", &P::storages, "of these storages")
        .optional(In::query, "all", &P::all, "true: of all")
        .returns_value("totalCapacity", number)
        .returns_value("availableCapacity", number)
        .returns_value("totalPhysicalCapacity", number)
        .returns_value("availablePhysicalCapacity", number)
        .returns_value("success", {{"type", "boolean"}})
        .answers(with(services, get_primary_storage_capacity));
}

Row add_image_store_row(Services& services) {
    using P = AddBackupStorage;
    return Operation<P>{"AddImageStoreBackupStorage", Method::post, "/backup-storage/image-store",
                        "Keep images in a directory of this host"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "url", &P::url, "the directory; it is made when it is not there")
        .max_length(2048)
        .required(In::body, "hostname", &P::hostname, "this host: localhost or its management address; others are refused")
        .max_length(255)
        .required(In::body, "username", &P::username,
                  "asked for by the contract and shown; nobody logs in to a store on this host")
        .max_length(255)
        .required(In::body, "password", &P::password,
                  "asked for by the contract; not used and not kept for a store on this host")
        .max_length(255)
        .secret()
        .optional(In::body, "sshPort", &P::ssh_port, "shown; nobody logs in to a store on this host")
        .range(1, 65535)
        .optional(In::body, "type", &P::type, "ImageStoreBackupStorage")
        .values({"ImageStoreBackupStorage"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("importImages", "images are added with AddImage")
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "BackupStorage")
        .runs_as_job(queue_of(&P::uuid), with(services, add_image_store));
}

Row attach_backup_row(Services& services) {
    using P = AttachBackupStorage;
    return Operation<P>{"AttachBackupStorageToZone", Method::post, "/zones/{zoneUuid}/backup-storage/{backupStorageUuid}",
                        "Let a zone use a backup storage"}
        .required(In::url, "zoneUuid", &P::zone, "the zone")
        .required(In::url, "backupStorageUuid", &P::storage, "the backup storage")
        .returns("inventory", "BackupStorage")
        .runs_as_job(queue_of(&P::storage), with(services, attach_backup_storage));
}

Row delete_backup_row(Services& services) {
    using P = OnBackupStorage;
    return Operation<P>{"DeleteBackupStorage", Method::del, "/backup-storage/{uuid}",
                        "Forget a backup storage without images; its directory stays"}
        .required(In::url, "uuid", &P::storage, "the backup storage; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::storage), with(services, delete_backup_storage));
}

Row check_row(Services& services) {
    const json text{{"type", "string"}};
    json kinds = json::array();
    for (const auto& [kind, name] : EnumNames<FindingKind>::names) kinds.push_back(name);
    const json finding{{"type", "object"},
                       {"required", {"kind", "path", "details"}},
                       {"properties",
                        {{"kind", {{"type", "string"}, {"enum", kinds}}},
                         {"path", text},
                         {"resource", text},
                         {"uuid", text},
                         {"details", text}}}};
    // Of shared storages: how many files nothing here owns.
    const json not_judged = {
        {"type", "object"},
        {"required", {"path", "files", "details"}},
        {"properties",
         {{"path", {{"type", "string"}}}, {"files", {{"type", "integer"}}}, {"details", {{"type", "string"}}}}}};
    return Operation<CheckStorage>{"CheckStorage", Method::post, "/storage-checks",
                                   "Compare the storages with the inventory; changes nothing"}
        .optional(In::body, "deep", &CheckStorage::deep, "true: look into the metadata of every image too")
        .returns_value("findings", {{"type", "array"}, {"items", finding}})
        .returns_value("notJudged", {{"type", "array"}, {"items", not_judged}})
        .timeout(std::chrono::hours(3))
        .job_class(JobClass::copy)
        .runs_as_job(api::no_queue<CheckStorage>(), with(services, check_storage));
}

}  // namespace

api::Table storage_api(Services& services) {
    const auto look_at_primary = [&services] { refresh_primary_storages(services); };
    const auto look_at_backup = [&services] { refresh_backup_storages(services); };
    return {
        add_local_row(services),
        add_shared_row(services),
        attach_primary_row(services),
        change_primary_state_row(services),
        reconnect_primary_row(services),
        delete_primary_row(services),
        capacity_row(services),
        add_image_store_row(services),
        attach_backup_row(services),
        delete_backup_row(services),
        check_row(services),
        // The contract has no /{uuid} form of this one.
        query_list_row(services, "QueryPrimaryStorage", "PrimaryStorage", "/primary-storage", "List primary storages",
                       look_at_primary),
        query_row(services, "QueryBackupStorage", "BackupStorage", "/backup-storage", "List backup storages",
                  look_at_backup),
        query_row(services, "QueryImageStoreBackupStorage", "ImageStoreBackupStorage", "/backup-storage/image-store",
                  "List image stores", look_at_backup),
        query_row(services, "QuerySftpBackupStorage", "SftpBackupStorage", "/backup-storage/sftp",
                  "List SFTP backup storages: there are none here", look_at_backup),
    };
}

}  // namespace hvagent::operations
