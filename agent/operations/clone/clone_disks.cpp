#include "agent/operations/clone/clone_disks.h"

#include <map>

#include "agent/operations/storage/layout.h"
#include "agent/operations/vm/settling.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

// What guests may write meanwhile.
constexpr Bytes spare_room = 16 * MiB;

PrimaryStorage storage_of(Services& services, const Volume& volume) {
    return services.inventory.get<PrimaryStorage>(volume.primary_storage);
}

// Whether the file of a clone may be the active layer alone, on the cached image that its source lies on too.
bool shares_its_base(Services& services, const Volume& source, const Volume& made) {
    if (source.format != "qcow2" || source.primary_storage != made.primary_storage) return false;
    const auto chain = services.disk_images.chain(source.install_path);
    if (chain.size() == 1) return true;
    return chain.size() == 2 && chain[1].path.starts_with(storage_of(services, source).url + "/imagecache/");
}

Bytes size_of_copy(Services& services, const Volume& source, const Volume& made) {
    if (source.format != "qcow2" || access_of(services, source) == DiskAccess::live)
        return source.format == "qcow2" ? services.disk_images.estimate_flatten(source.install_path).resulting_size
                                        : services.files.allocated(source.install_path);
    return shares_its_base(services, source, made)
               ? services.files.allocated(source.install_path)
               : services.disk_images.estimate_flatten(source.install_path).resulting_size;
}

std::string make_place(Services& services, const Volume& volume) {
    const PrimaryStorage storage = storage_of(services, volume);
    const std::string path = volume_path(storage, volume);
    services.files.make_directories(volume_directory(storage, volume));
    services.files.remove_file(path);  // of an earlier life of the job
    return path;
}

void record_ready(Services& services, const VolumeId& volume, const std::string& path) {
    const Bytes allocated = services.files.allocated(path);
    services.inventory.modify<Volume>(volume, [&](Volume& record) {
        record.install_path = path;
        record.actual_size = allocated;
        record.status = VolumeStatus::ready;
    });
}

void copy_disk(Services& services, Job& job, const Volume& source, const Volume& made, const ProgressPercent& progress) {
    const std::string path = make_place(services, made);
    if (shares_its_base(services, source, made))
        services.files.copy(source.install_path, path, progress, job.cancellation());
    else
        services.disk_images.convert(source.install_path, source.format, path, "qcow2", progress, job.cancellation());
    record_ready(services, made.uuid, path);
}

bool copy_at_one_moment(Services& services, Job& job, const VmId& source, const std::vector<DiskCopy>& copies,
                        const ProgressPercent& progress) {
    BlockJobLimits limits;
    limits.bandwidth = services.settings.block_job_bandwidth;
    try {
        const bool was_quiet = services.disks.copy(source, copies, limits, progress, job.cancellation());
        let_go_of_guest(services, source);
        return was_quiet;
    } catch (...) {
        const Error error = current_error();
        let_go_of_guest(services, source);
        throw error;
    }
}

}  // namespace

bool has_disks(Services& services, const PlannedClone& clone) {
    for (const ClonedDisk& disk : clone.disks)
        if (services.inventory.get<Volume>(disk.made).status != VolumeStatus::ready) return false;
    return true;
}

void require_room_for_clones(Services& services, const std::vector<PlannedClone>& clones) {
    std::map<PrimaryStorageId, Bytes> needed;
    for (const PlannedClone& clone : clones)
        for (const ClonedDisk& disk : clone.disks) {
            const Volume made = services.inventory.get<Volume>(disk.made);
            needed[made.primary_storage] += size_of_copy(services, services.inventory.get<Volume>(disk.source), made);
        }
    for (const auto& [id, bytes] : needed) {
        const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(id);
        const Bytes available = services.files.space(storage.url).available;
        if (bytes + spare_room > available)
            throw Error(Code::storage_allocate, "the disks of " + std::to_string(clones.size()) + " clones need " +
                                                    human_size(bytes + spare_room) + " on the primary storage " +
                                                    storage.name + ", which has " + human_size(available));
    }
}

void copy_disks(Services& services, Job& job, const PlannedClone& clone, const PlannedClone* model,
                const ProgressPercent& progress) {
    for (std::size_t i = 0; i < clone.disks.size(); ++i) {
        const Volume made = services.inventory.get<Volume>(clone.disks[i].made);
        if (made.status == VolumeStatus::ready) continue;
        const Volume source = services.inventory.get<Volume>(model ? model->disks[i].made : clone.disks[i].source);
        const int count = static_cast<int>(clone.disks.size());
        copy_disk(services, job, source, made,
                  [&](int percent) { progress((static_cast<int>(i) * 100 + percent) / count); });
    }
}

void copy_live_disks(Services& services, Job& job, const VmId& source, const PlannedClone& clone,
                     const ProgressPercent& progress) {
    if (job.resumed()) {
        for (const ClonedDisk& disk : clone.disks) services.disks.abort_block_job(source, disk.source);
        let_go_of_guest(services, source);
    }
    std::vector<DiskCopy> copies;
    for (const ClonedDisk& disk : clone.disks) {
        const std::string path = make_place(services, services.inventory.get<Volume>(disk.made));
        services.disk_images.create_empty(path, services.inventory.get<Volume>(disk.source).size);
        copies.push_back({disk.source, path});
    }
    const bool was_quiet = copy_at_one_moment(services, job, source, copies, progress);
    if (!was_quiet) log::info("the guest's file systems were not quiet when it was cloned", {{"vm", source.str()}});
    services.inventory.transaction([&] {
        for (std::size_t i = 0; i < copies.size(); ++i) record_ready(services, clone.disks[i].made, copies[i].target);
    });
}

}  // namespace hvagent::operations
