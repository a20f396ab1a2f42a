// Templates from volumes and snapshots: the whole chain as one file that stands alone.
#include <algorithm>

#include "agent/operations/image/arrival.h"
#include "agent/operations/image/candidates.h"
#include "agent/operations/image/handlers.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/vm/settling.h"
#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}

Error as_template_error(const Error& error) {
    if (error.code() != Code::io_failed && error.code() != Code::storage_allocate) return error;
    return Error(Code::image_from_volume, error.details(), error);
}

void check_tags(const std::vector<std::string>& tags) {
    for (const std::string& tag : tags)
        if (tag != "qemuga" && tag != "bootMode::Legacy" && tag != "bootMode::UEFI")
            throw Error(Code::invalid_argument,
                        "no system tag of templates matches '" + tag + "'; known are qemuga and bootMode::Legacy|UEFI");
}

// What a VM from the template needs to be like the one it comes from.
std::vector<std::string> tags_with_inherited(Services& services, const MakeTemplate& params, const std::optional<Vm>& vm) {
    check_tags(params.tags.system);
    std::vector<std::string> tags = params.tags.system;
    if (!vm) return tags;
    for (const std::string& tag : system_tags_of(services.inventory, vm->uuid.str())) {
        const bool is_boot_mode = tag.starts_with("bootMode::");
        if (!is_boot_mode && tag != "qemuga") continue;
        const bool is_given = std::any_of(tags.begin(), tags.end(), [&](const std::string& given) {
            return is_boot_mode ? given.starts_with("bootMode::") : given == tag;
        });
        if (!is_given) tags.push_back(tag);
    }
    return tags;
}

Image new_image(const MakeTemplate& params, const std::optional<Vm>& vm, MediaType media_type) {
    Image image;
    image.uuid = params.uuid;
    image.name = params.name;
    image.description = params.description;
    image.status = ImageStatus::creating;
    image.media_type = media_type;
    image.url = params.snapshot.empty() ? "volume://" + params.volume.str() : "volumeSnapshot://" + params.snapshot.str();
    image.system = params.system;
    if (vm) {
        image.guest_os_type = vm->guest_os_type;
        image.platform = vm->platform;
        image.architecture = vm->architecture;
        image.virtio = vm->virtio;
    }
    if (params.guest_os_type) image.guest_os_type = *params.guest_os_type;
    if (params.platform) image.platform = *params.platform;
    if (params.architecture) image.architecture = *params.architecture;
    if (params.virtio) image.virtio = *params.virtio;
    return image;
}

std::vector<BackupStorageId> choose_storages(Services& services, const MakeTemplate& params,
                                             const PrimaryStorageId& source) {
    if (!params.backup_storages.empty()) return params.backup_storages;
    const std::vector<BackupStorage> candidates = storages_for(services, source);
    if (candidates.empty()) fail("no backup storage is Enabled, Connected and attached to the zone of the volume");
    return {candidates.front().uuid};
}

ProgressPercent tell(Job& job, const std::string& what) {
    return [&job, what](int percent) { job.progress(percent * 9 / 10, what); };
}

// --- files that nobody writes to ---

void copy_chain(Services& services, Job& job, const std::string& path, const std::string& format,
                const BackupStorage& storage, const std::string& target, const std::string& name) {
    copy_image(services, job, path, format, storage, target, name, tell(job, "copy to " + storage.name));
}

// --- files that a QEMU writes to ---

// The active layer changes under our eyes; those below it do not.
Bytes most_that_a_copy_takes(Services& services, const Volume& volume, Bytes virtual_size) {
    const std::string below = services.disk_images.inspect(volume.install_path, volume.format).backing_file;
    Bytes needed = services.files.allocated(volume.install_path);
    if (!below.empty()) needed += services.disk_images.measure(below, services.disk_images.inspect(below, "").format);
    constexpr Bytes tables_per = 1024;  // a qcow2 file has less than a byte of tables for so many of data
    return std::min(needed, virtual_size + virtual_size / tables_per + MiB);
}

VmId live_user(Services& services, const Volume& volume) {
    std::vector<VmId> live;
    for (const Vm& vm : users_of(services, volume))
        if (access_of(services, vm) == DiskAccess::live) live.push_back(vm.uuid);
    if (live.empty()) fail(shown(volume) + " was used by a VM a moment ago, and is not any more");
    // A QEMU does not see what another one writes.
    if (live.size() > 1) fail(shown(volume) + " is in use by several running VMs; stop all but one");
    return live.front();
}

void copy_live(Services& services, Job& job, const Volume& volume, const BackupStorage& storage, const std::string& target,
               const std::string& name) {
    const VmId vm = live_user(services, volume);
    const std::string temporary = target + ".copying";
    // QEMU may still be writing into what an earlier life of the job made.
    if (job.resumed()) {
        services.disks.abort_block_job(vm, volume.uuid);
        let_go_of_guest(services, vm);
    }
    services.files.remove_file(temporary);
    const Bytes size = services.disk_images.inspect(volume.install_path, volume.format).virtual_size;
    require_room(services, storage, most_that_a_copy_takes(services, volume, size), name);
    try {
        services.disk_images.create_empty(temporary, size);
        const bool quiet = services.disks.copy(vm, {{volume.uuid, temporary}}, {}, tell(job, "copy from the running VM"),
                                               job.cancellation());
        let_go_of_guest(services, vm);
        log::info("a running VM's volume was copied",
                  {{"volume", volume.uuid.str()}, {"vm", vm.str()}, {"file_systems_quiet", quiet}});
        services.files.publish(temporary, target);
    } catch (...) {
        const Error error = current_error();
        let_go_of_guest(services, vm);
        services.files.remove_file(temporary);
        throw error;
    }
}

// --- volumes and snapshots ---

Volume usable_volume(Services& services, const VolumeId& id) {
    const Volume volume = services.inventory.get<Volume>(id);
    if (volume.status != VolumeStatus::ready)
        fail(shown(volume) + " is " + std::string(to_text(volume.status)) + ", not Ready");
    if (volume.state != EnabledState::enabled) fail(shown(volume) + " is Disabled");
    const auto vm = vm_of(services, volume);
    if (vm && vm->intent == VmIntent::destroyed && volume.type == VolumeType::root)
        fail("the VM " + vm->name + " is destroyed; recover it first");
    return volume;
}

VolumeSnapshot usable_snapshot(Services& services, const SnapshotId& id) {
    const VolumeSnapshot snapshot = services.inventory.get<VolumeSnapshot>(id);
    if (snapshot.status != SnapshotStatus::ready)
        fail("the snapshot " + snapshot.name + " is " + std::string(to_text(snapshot.status)) + ", not Ready");
    if (snapshot.state != EnabledState::enabled) fail("the snapshot " + snapshot.name + " is Disabled");
    if (snapshot.volume_type != VolumeType::root) fail("the snapshot " + snapshot.name + " is not of a root volume");
    return snapshot;
}

// `make` with errors that say that the template failed.
std::function<void(const BackupStorage&, const std::string&)> reporting(
    std::function<void(const BackupStorage&, const std::string&)> make) {
    return [make = std::move(make)](const BackupStorage& storage, const std::string& target) {
        try {
            make(storage, target);
        } catch (...) {
            throw as_template_error(current_error());
        }
    };
}

json make_from_volume(Services& services, Job& job, const MakeTemplate& params, MediaType media_type) {
    settle_creations(services, params.volume);
    const Volume volume = usable_volume(services, params.volume);
    const std::optional<Vm> vm = volume.type == VolumeType::root ? vm_of(services, volume) : std::nullopt;
    ImageArrival arrival;
    arrival.image = new_image(params, vm, media_type);
    arrival.tags = {tags_with_inherited(services, params, vm), params.tags.user};
    arrival.storages = choose_storages(services, params, volume.primary_storage);
    arrival.make = reporting([&](const BackupStorage& storage, const std::string& target) {
        if (access_of(services, volume) == DiskAccess::live)
            copy_live(services, job, volume, storage, target, params.name);
        else
            copy_chain(services, job, volume.install_path, volume.format, storage, target, params.name);
    });
    bring_in(services, job, arrival);
    return services.inventory.answer("Image", params.uuid.str());
}

}  // namespace

std::vector<std::string> template_queues(Services& services, const MakeTemplate& params) {
    VolumeId volume = params.volume;
    if (const auto snapshot = services.inventory.find<VolumeSnapshot>(params.snapshot)) volume = snapshot->volume;
    std::vector<std::string> queues = volume_queues(services, volume);
    queues.push_back(api::queue_name("Image", params.uuid.str()));
    return queues;
}

json make_root_template(Services& services, Job& job, const MakeTemplate& params) {
    if (services.inventory.get<Volume>(params.volume).type != VolumeType::root)
        throw Error(Code::invalid_argument,
                    "parameter 'rootVolumeUuid' names a data volume; use CreateDataVolumeTemplateFromVolume");
    return make_from_volume(services, job, params, MediaType::root_volume_template);
}

json make_data_template(Services& services, Job& job, const MakeTemplate& params) {
    return make_from_volume(services, job, params, MediaType::data_volume_template);
}

json make_template_from_snapshot(Services& services, Job& job, const MakeTemplate& params) {
    const VolumeSnapshot snapshot = usable_snapshot(services, params.snapshot);
    const auto volume = services.inventory.find<Volume>(snapshot.volume);
    const std::optional<Vm> vm = volume ? vm_of(services, *volume) : std::nullopt;
    ImageArrival arrival;
    arrival.image = new_image(params, vm, MediaType::root_volume_template);
    arrival.tags = {tags_with_inherited(services, params, vm), params.tags.user};
    arrival.storages = params.backup_storages;
    arrival.make = reporting([&](const BackupStorage& storage, const std::string& target) {
        copy_chain(services, job, snapshot.install_path, snapshot.format, storage, target, params.name);
    });
    json failures = json::array();
    for (const StorageFailure& failure : bring_in(services, job, arrival))
        failures.push_back({{"backupStorageUuid", failure.storage.str()}, {"error", api::to_json(failure.error)}});
    json answer = services.inventory.answer("Image", params.uuid.str());
    answer["failures"] = failures;
    return answer;
}

}  // namespace hvagent::operations
