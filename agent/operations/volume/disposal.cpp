#include "agent/operations/volume/disposal.h"

#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/layout.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

bool lies_on(Services& services, const std::string& path, const std::string& format, const std::string& directory) {
    if (path.empty() || format != "qcow2") return false;
    try {
        return services.disk_images.inspect(path, format).backing_file.starts_with(directory + "/");
    } catch (const Error&) {
        return false;  // a file that cannot be read lies on nothing that could be read through it
    }
}

// Clones may share frozen layers.
void check_that_nobody_lies_on(Services& services, const Volume& volume) {
    const auto storage = services.inventory.find<PrimaryStorage>(volume.primary_storage);
    if (!storage) return;
    const std::string directory = volume_directory(*storage, volume);
    const auto refuse = [&](const std::string& what) {
        throw Error(Code::operation_failed, shown(volume) + " cannot be removed: " + what + " lies on one of its layers");
    };
    for (const Volume& other : services.inventory.list<Volume>({{"primaryStorageUuid", storage->uuid.str()}}))
        if (other.uuid != volume.uuid && lies_on(services, other.install_path, other.format, directory))
            refuse(shown(other));
    for (const VolumeSnapshot& other :
         services.inventory.list<VolumeSnapshot>({{"primaryStorageUuid", storage->uuid.str()}}))
        if (other.volume != volume.uuid && lies_on(services, other.install_path, other.format, directory))
            refuse("the snapshot " + other.name + " (" + other.uuid.str() + ")");
}

}  // namespace

void dispose_of(Services& services, const Volume& volume) {
    if (!volume.primary_storage.empty()) check_that_nobody_lies_on(services, volume);
    remove_volume_file(services, volume);
    forget(services, volume);
}

void forget(Services& services, const Volume& volume) {
    const inventory::Where of_volume{{"volumeUuid", volume.uuid.str()}};
    services.inventory.transaction([&] {
        for (const auto& snapshot : services.inventory.list<VolumeSnapshot>(of_volume))
            services.inventory.remove<VolumeSnapshot>(snapshot.uuid);
        for (const auto& tree : services.inventory.list<SnapshotTree>(of_volume))
            services.inventory.remove<SnapshotTree>(tree.uuid);
        for (const auto& ref : services.inventory.list<ShareableVolumeRef>(of_volume))
            services.inventory.remove<ShareableVolumeRef>(ref.uuid);
        for (const auto& scheduler : services.inventory.list<Scheduler>({{"targetResourceUuid", volume.uuid.str()}}))
            services.inventory.remove<Scheduler>(scheduler.uuid);
        services.inventory.remove<Volume>(volume.uuid);
    });
    services.image_cache.drop_unused();
}

}  // namespace hvagent::operations
