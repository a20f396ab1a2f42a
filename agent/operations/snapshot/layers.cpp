#include "agent/operations/snapshot/layers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

constexpr Bytes least_room = 4 * MiB;
constexpr int tries = 3;  // of a copy whose VM or libvirt went away meanwhile

std::string backing_of(Services& services, const std::string& path) {
    return services.disk_images.inspect(path, "qcow2").backing_file;
}

std::vector<std::string> live_layers(Services& services, const Volume& volume) {
    const auto live = services.disks.look(volume.vm);
    if (!live) throw Error(Code::vm_wrong_state, "VM " + volume.vm.str() + " went off meanwhile");
    for (const LiveDisk& disk : live->disks)
        if (disk.volume == volume.uuid) return disk.chain;
    throw Error(Code::operation_failed, "VM " + volume.vm.str() + " runs without its disk " + shown(volume));
}

std::vector<std::string> layers_of(Services& services, const Volume& volume, DiskAccess access) {
    if (access == DiskAccess::live) return live_layers(services, volume);
    std::vector<std::string> paths;
    for (const DiskLayer& layer : services.disk_images.chain(volume.install_path)) paths.push_back(layer.path);
    return paths;
}

bool lies_directly_on(const std::vector<std::string>& chain, const std::string& base) {
    return base.empty() ? chain.size() == 1 : chain.size() > 1 && chain[1] == base;
}

// An upper bound of what the merge adds to the active layer.
Bytes most_to_be_copied(Services& services, const std::vector<std::string>& chain, const std::string& base) {
    // At the bottom there may be a cached image, which may be compressed; frozen layers are as guests wrote them.
    if (base.empty()) return services.disk_images.estimate_flatten(chain.front()).bytes_to_copy;
    Bytes sum = 0;
    for (std::size_t i = 1; i < chain.size() && chain[i] != base; ++i) sum += services.files.allocated(chain[i]);
    return sum;
}

void check_room(Services& services, const Volume& volume, Bytes needed) {
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const Bytes available = services.files.space(storage.url).available;
    if (needed + least_room > available)
        throw Error(Code::storage_allocate, "merging the layers below " + shown(volume) + " may take " + human_size(needed) +
                                                " of the primary storage " + storage.name + ", which has " +
                                                human_size(available));
}

std::string format_of(Services& services, const std::string& path) {
    return path.empty() ? "" : services.disk_images.inspect(path, "").format;
}

// How the merge that may be on disk was made, written down before it begins; "certain" once all of it is on disk.
constexpr const char* way_of_merge = "way of merge";

void remember_way(Job& job, DiskAccess access) {
    const std::string way = access == DiskAccess::live ? "live" : "offline";
    if (job.recall(way_of_merge) != nlohmann::json(way)) job.remember(way_of_merge, way);
}

void copy_once(Services& services, Job& job, const Volume& volume, const std::string& base, DiskAccess access) {
    const std::vector<std::string> chain = layers_of(services, volume, access);
    const bool was_done = lies_directly_on(chain, base);
    if (was_done && access == DiskAccess::offline) {
        if (job.recall(way_of_merge) == nlohmann::json("live")) refuse_doubtful_merge(volume);
        return;
    }
    if (!base.empty() && std::find(chain.begin(), chain.end(), base) == chain.end())
        throw Error(Code::operation_failed, shown(volume) + " does not lie on " + base);
    if (!was_done) check_room(services, volume, most_to_be_copied(services, chain, base));
    remember_way(job, access);
    const auto progress = [&job](int percent) { job.progress(percent * 9 / 10, "merge layers"); };
    if (access == DiskAccess::live)
        services.disks.pull(volume.vm, volume.uuid, base, {}, progress, job.cancellation());
    else
        services.disk_images.rebase(volume.install_path, base, format_of(services, base), progress, job.cancellation());
    // Layers are removed on the strength of this: it is looked at, not believed.
    if (!lies_directly_on(layers_of(services, volume, access), base))
        throw Error(Code::internal, shown(volume) + " does not lie on " + (base.empty() ? "nothing" : base) +
                                        " after its layers were merged");
    job.remember(way_of_merge, "certain");
}

}  // namespace

void refuse_doubtful_merge(const Volume& volume) {
    throw Error(Code::operation_failed,
                "the QEMU that merged the layers below " + shown(volume) +
                    " died before it said that all is on disk. The layers are kept; if something is missing in the volume, "
                    "'qemu-img rebase -u' puts its active layer back onto the snapshot's");
}

void require_room_for_layer(Services& services, const Volume& volume) {
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const Bytes available = services.files.space(storage.url).available;
    if (available < least_room)
        throw Error(Code::storage_allocate, "the primary storage " + storage.name + " has " + human_size(available) +
                                                " left, too little for another layer of " + shown(volume));
}

std::string path_for_layer(Services& services, const Volume& volume, const std::string& name) {
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const std::string directory = volume_directory(storage, volume) + "/snapshots";
    services.files.make_directories(directory);
    const std::string wished = directory + "/" + name + ".qcow2";
    return services.files.exists(wished) ? directory + "/" + make_uuid() + ".qcow2" : wished;
}

bool is_layer_on(Services& services, const std::string& path, const std::string& base) {
    if (!services.files.exists(path)) return false;
    try {
        return backing_of(services, path) == base;
    } catch (const Error& error) {
        log::warning("a layer cannot be read", {{"path", path}, {"error", error.details()}});
        return false;
    }
}

DiskAccess await_access(Services& services, const Volume& volume) {
    if (vm_of(services, volume)) services.states.wait_connected(services.settings.libvirt_wait);
    return access_of(services, volume);
}

std::vector<std::string> layers_of(Services& services, const Volume& volume) {
    return layers_of(services, volume, await_access(services, volume));
}

void put_active_layer_on(Services& services, Job& job, const VolumeId& id, const std::string& base) {
    for (int attempt = 1;; ++attempt) {
        const Volume volume = services.inventory.get<Volume>(id);
        const DiskAccess access = await_access(services, volume);
        try {
            copy_once(services, job, volume, base, access);
            record_sizes(services, id);
            return;
        } catch (const Error& error) {
            if (job.cancellation().wanted() || attempt == tries) throw;
            // A VM that went off is carried on with offline; a libvirt that comes back shows what QEMU goes on with.
            const bool lost_sight = error.code() == Code::host_connection || error.code() == Code::timeout;
            if (!lost_sight && await_access(services, volume) == access) throw;
            log::warning("the merge of layers is tried again", {{"volume", id.str()}, {"error", error.details()}});
        }
    }
}

bool is_merge_certain(Job& job) {
    const auto way = job.recall(way_of_merge);
    return way && *way != "live";
}

void check_nobody_else_uses(Services& services, const VolumeId& owner, const std::set<std::string>& files) {
    const auto check = [&](const std::string& path, const std::string& format, const std::string& whose) {
        if (path.empty() || format != "qcow2" || !services.files.exists(path)) return;
        const std::string backing = backing_of(services, path);
        if (files.contains(backing)) throw Error(Code::operation_failed, whose + " lies on " + backing + ", which it needs");
    };
    for (const Volume& other : services.inventory.list<Volume>())
        if (other.uuid != owner) check(other.install_path, other.format, shown(other));
    for (const VolumeSnapshot& other : services.inventory.list<VolumeSnapshot>())
        if (other.volume != owner)
            check(other.install_path, other.format, "the snapshot " + other.name + " (" + other.uuid.str() + ")");
}

void record_sizes(Services& services, const VolumeId& id) {
    const Volume volume = services.inventory.get<Volume>(id);
    const Bytes allocated = services.files.allocated(volume.install_path);
    services.inventory.observe<Volume>(id, [&](Volume& record) { record.actual_size = allocated; });
}

}  // namespace hvagent::operations
