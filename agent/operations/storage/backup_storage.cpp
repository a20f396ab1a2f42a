#include <unistd.h>

#include "agent/operations/attachments.h"
#include "agent/operations/holdings.h"
#include "agent/operations/storage/directories.h"
#include "agent/operations/storage/handlers.h"
#include "agent/operations/storage/volume_files.h"

namespace hvagent::operations {
namespace {

json answer(Services& services, const BackupStorageId& storage) {
    return services.inventory.answer("BackupStorage", storage.str());
}

bool is_this_host(Services& services, const std::string& name) {
    const Host host = services.inventory.get<Host>(services.host);
    char own[256] = {};
    gethostname(own, sizeof own - 1);
    return name == host.management_ip || name == host.name || name == own || name == "localhost" || name == "127.0.0.1" ||
           name == "::1";
}

}  // namespace

json add_image_store(Services& services, Job&, const AddBackupStorage& params) {
    check_no_system_tags(params.tags, "backup storage");
    if (services.inventory.find<BackupStorage>(params.uuid))
        return answer(services, params.uuid);  // an earlier life of this job came so far
    if (!is_this_host(services, params.hostname))
        throw Error(Code::no_capability, "parameter 'hostname': an image store is a directory of this host; " +
                                             params.hostname + " is neither localhost nor its management address");
    BackupStorage storage;
    storage.uuid = params.uuid;
    storage.name = params.name;
    storage.description = params.description;
    storage.hostname = params.hostname;
    storage.username = params.username;
    storage.ssh_port = params.ssh_port;
    storage.url = check_new_directory(services, params.url);
    services.files.prepare(storage.url);
    services.inventory.transaction([&] {
        check_new_directory(services, params.url);  // nobody took it meanwhile
        services.inventory.insert(storage);
        add_tags(services, "BackupStorage", params.uuid.str(), params.tags);
    });
    refresh_backup_storage(services, params.uuid);
    return answer(services, params.uuid);
}

json attach_backup_storage(Services& services, Job& job, const AttachBackupStorage& params) {
    services.inventory.transaction([&] {
        const auto storage = services.inventory.get<BackupStorage>(params.storage);
        const auto zone = services.inventory.get<Zone>(params.zone);
        if (is_attached(services.inventory, backup_storage_to_zone, params.storage.str(), params.zone.str()) &&
            !job.resumed())
            throw Error(Code::operation_failed,
                        "the backup storage " + storage.name + " is attached to the zone " + zone.name + " already");
        attach(services.inventory, backup_storage_to_zone, params.storage.str(), params.zone.str());
    });
    return answer(services, params.storage);
}

json delete_backup_storage(Services& services, Job&, const OnBackupStorage& params) {
    services.inventory.transaction([&] {
        const auto storage = services.inventory.get<BackupStorage>(params.storage);
        Holdings()
            .add(services.inventory.count<ImageRef>({{"backupStorageUuid", storage.uuid.str()}}), "image")
            .refuse_if_any("the backup storage " + storage.name);
        remove_attachments(services.inventory, storage.uuid.str());
        services.inventory.remove<BackupStorage>(storage.uuid);
    });
    return json::object();
}

void refresh_backup_storages(Services& services) {
    for (const BackupStorage& storage : services.inventory.list<BackupStorage>())
        refresh_backup_storage(services, storage.uuid);
}

}  // namespace hvagent::operations
