#include "agent/operations/flatten/replace_layer.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "agent/operations/snapshot/tree.h"
#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

std::string key_of(const VolumeId& volume) {
    return "old layer of " + volume.str();
}

std::string new_path(const PrimaryStorage& storage, const Volume& volume, const Job& job) {
    return volume_directory(storage, volume) + "/" + job.id().str() + ".qcow2";
}

void remove_layer(Services& services, const PrimaryStorage& storage, const Volume& volume, const std::string& path) {
    if (!path.starts_with(volume_directory(storage, volume) + "/")) return;
    services.files.remove_file(path);
    services.files.remove_empty_directories(std::filesystem::path(path).parent_path(), storage.url);
}

void record(Services& services, const Volume& volume, const std::string& path) {
    const Bytes allocated = services.files.allocated(path);
    services.inventory.transaction([&] {
        services.inventory.modify<Volume>(volume.uuid, [&](Volume& stored) {
            stored.install_path = path;
            stored.actual_size = allocated;
        });
        leave_tree(services, volume.uuid);
    });
}

}  // namespace

void replace_layer(Services& services, Job& job, const Volume& volume,
                   const std::function<void(const std::string& path)>& make) {
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const std::string path = new_path(storage, volume, job);
    job.remember(key_of(volume.uuid), volume.install_path);
    try {
        services.files.make_directories(volume_directory(storage, volume));
        make(path);
        record(services, volume, path);
    } catch (...) {
        const Error error = current_error();
        // When the daemon stops, the next life of the job clears up.
        if (job.cancellation().reason() != CancelReason::stopping) services.files.remove_file(path);
        throw error;
    }
    remove_layer(services, storage, volume, volume.install_path);
}

bool finish_replacing(Services& services, Job& job, const VolumeId& id) {
    const auto old = job.recall(key_of(id));
    if (!old) return false;
    const Volume volume = services.inventory.get<Volume>(id);
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const std::string path = new_path(storage, volume, job);
    const bool is_replaced = volume.install_path == path;
    remove_layer(services, storage, volume, is_replaced ? old->get<std::string>() : path);
    return is_replaced;
}

}  // namespace hvagent::operations
