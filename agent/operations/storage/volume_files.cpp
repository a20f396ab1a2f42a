#include "agent/operations/storage/volume_files.h"

#include <algorithm>
#include <set>

#include "agent/operations/observe_change.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

// A fresh overlay or empty qcow2 needs little; a storage that has not even this is full.
constexpr Bytes least_room = 4 * MiB;

void create_file(Services& services, const PrimaryStorage& storage, const Volume& volume, const std::string& path,
                 const ProgressPercent& progress, Cancellation& cancel) {
    if (volume.root_image.empty()) {
        if (volume.format == "raw") return services.disk_images.create_raw(path, volume.size);
        return services.disk_images.create_empty(path, volume.size);
    }
    const Image image = services.inventory.get<Image>(volume.root_image);
    const std::string backing = services.image_cache.fetch(image, storage, progress, cancel);
    services.disk_images.create_overlay(path, backing, image.format, volume.size);
}

// A thin volume was promised its virtual size.
Bytes still_to_be_written(Services& services, const Volume& volume) {
    Bytes written = 0;
    try {
        if (!volume.install_path.empty()) written = services.files.allocated(volume.install_path);
    } catch (const Error&) {
        written = volume.actual_size;
    }
    return std::max<Bytes>(0, volume.size - written);
}

// nullopt: the directory cannot be reached.
std::optional<StorageSpace> look_at_space(Services& services, const std::string& directory) {
    try {
        return services.files.space(directory);
    } catch (const Error& error) {
        log::debug("a storage does not answer", {{"directory", directory}, {"error", error.details()}});
        return std::nullopt;
    }
}

}  // namespace

void make_volume_file(Services& services, const VolumeId& id, const ProgressPercent& progress, Cancellation& cancel) {
    const Volume volume = services.inventory.get<Volume>(id);
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const std::string path = volume_path(storage, volume);
    const Bytes available = services.files.space(storage.url).available;
    if (available < least_room)
        throw Error(Code::storage_allocate,
                    "the primary storage " + storage.name + " has " + human_size(available) + " left");
    services.files.make_directories(volume_directory(storage, volume));
    if (!services.files.exists(path)) create_file(services, storage, volume, path, progress, cancel);
    const Bytes allocated = services.files.allocated(path);
    services.inventory.modify<Volume>(id, [&](Volume& record) {
        record.install_path = path;
        record.status = VolumeStatus::ready;
        record.actual_size = allocated;
    });
}

void remove_volume_file(Services& services, const Volume& volume) {
    if (volume.primary_storage.empty()) return;
    const auto storage = services.inventory.find<PrimaryStorage>(volume.primary_storage);
    if (!storage) return;
    const std::string directory = volume_directory(*storage, volume);
    for (const std::string& path : services.files.files_below(directory)) services.files.remove_file(path);
    services.files.remove_empty_directories(directory + "/snapshots", storage->url);
    services.files.remove_empty_directories(directory, storage->url);
}

Bytes allocated_by(Services& services, const Volume& volume) {
    std::set<std::string> layers{volume.install_path};
    for (const VolumeSnapshot& snapshot : services.inventory.list<VolumeSnapshot>({{"volumeUuid", volume.uuid.str()}}))
        layers.insert(snapshot.install_path);
    Bytes sum = 0;
    for (const std::string& path : layers)
        if (!path.empty() && services.files.exists(path)) sum += services.files.allocated(path);
    return sum;
}

void require_room(Services& services, const PrimaryStorageId& id, Bytes growth, const std::string& what) {
    const PrimaryStorage storage = refresh_primary_storage(services, id);
    if (storage.status != ConnectionStatus::connected)
        throw Error(Code::storage_disconnected, "the primary storage " + storage.name + " is not Connected");
    if (growth > storage.available_capacity)
        throw Error(Code::storage_allocate, what + " needs " + human_size(growth) + " on the primary storage " +
                                                storage.name + ", which can promise " +
                                                human_size(storage.available_capacity) + " more");
}

PrimaryStorage refresh_primary_storage(Services& services, const PrimaryStorageId& id) {
    const std::string url = services.inventory.get<PrimaryStorage>(id).url;
    Bytes promised = 0;
    for (const Volume& volume : services.inventory.list<Volume>({{"primaryStorageUuid", id.str()}}))
        promised += still_to_be_written(services, volume);
    const auto space = look_at_space(services, url);
    observe_change<PrimaryStorage>(services.inventory, id, [&](PrimaryStorage& record) {
        record.status = space ? ConnectionStatus::connected : ConnectionStatus::disconnected;
        if (!space) return;
        record.total_physical = space->total;
        record.available_physical = space->available;
        record.total_capacity = space->total;
        // What others keep on the file system is not there for volumes either. Of a shared storage that is what other hosts
        // have written; what they have promised beyond that is not known here.
        record.available_capacity = std::max<Bytes>(0, space->available - promised);
    });
    return services.inventory.get<PrimaryStorage>(id);
}

BackupStorage refresh_backup_storage(Services& services, const BackupStorageId& id) {
    const std::string url = services.inventory.get<BackupStorage>(id).url;
    const auto space = look_at_space(services, url);
    observe_change<BackupStorage>(services.inventory, id, [&](BackupStorage& record) {
        record.status = space ? ConnectionStatus::connected : ConnectionStatus::disconnected;
        if (!space) return;
        record.total_capacity = space->total;
        record.available_capacity = space->available;
    });
    return services.inventory.get<BackupStorage>(id);
}

}  // namespace hvagent::operations
