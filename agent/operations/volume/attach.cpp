// Attach and detach. The record of an attachment is the last step in, and goes when the guest has let go.
#include <algorithm>
#include <functional>

#include "agent/operations/snapshot/creation.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/new_vm.h"
#include "agent/operations/volume/attachment.h"
#include "agent/operations/volume/disk_spec.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

constexpr milliseconds patience_with_undo{10000};

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}

void check_volume(Services& services, const Volume& volume) {
    if (volume.type != VolumeType::data) fail(shown(volume) + " is a Root volume");
    if (volume.state != EnabledState::enabled) fail(shown(volume) + " is Disabled");
    if (volume.status != VolumeStatus::ready && volume.status != VolumeStatus::not_instantiated)
        fail(shown(volume) + " is " + std::string(to_text(volume.status)) + ", not Ready or NotInstantiated");
    const auto vm = vm_of(services, volume);
    if (vm) fail(shown(volume) + " is attached to the VM " + vm->name + " (" + vm->uuid.str() + ") already");
}

void check_together(Services& services, const Volume& volume, const Vm& vm) {
    if (is_used_by(services, volume, vm.uuid)) fail(shown(volume) + " is attached to the VM " + vm.name + " already");
    if (!reaches(services, vm, volume))
        fail("the cluster of the VM " + vm.name + " cannot reach the primary storage of " + shown(volume));
    if (count_data_volumes(services, vm.uuid) >= most_data_volumes)
        fail("the VM " + vm.name + " has " + std::to_string(most_data_volumes) +
             " data volumes, which is the most it may have");
    if (vm.state() == VmState::stopped || vm.state() == VmState::crashed) return;
    if (vm.platform == "Other") fail("the VM " + vm.name + " is of platform Other and must be Stopped to take a volume");
    if (!vm.virtio)
        fail("the VM " + vm.name + " has emulated disks, which cannot be plugged while it is " +
             std::string(to_text(vm.state())) + "; stop it first");
}

void check(Services& services, Job& job, const AttachVolume& params) {
    settle_creations(services, params.volume);
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (job.resumed() && is_used_by(services, volume, params.vm)) return;
    // Of an earlier life of this job, which did not come to the end of the file.
    const bool half_made = job.resumed() && volume.status == VolumeStatus::creating;
    if (!half_made) check_volume(services, volume);
    using enum VmState;
    try {
        const Vm vm = require_state(services, params.vm, {running, stopped, crashed, paused}, "attaching a volume");
        check_together(services, volume, vm);
    } catch (const Error& error) {
        if (error.code() != Code::vm_wrong_state) throw;
        throw Error(Code::vm_attach_volume, shown(volume) + " cannot be attached: " + error.details(), error);
    }
}

PrimaryStorageId choose_storage(Services& services, const Vm& vm) {
    const auto root = services.inventory.find<Volume>(vm.root_volume);
    if (root && reaches(services, vm, root->primary_storage))
        return choose_primary_storage(services, root->primary_storage).uuid;
    for (const PrimaryStorage& storage : services.inventory.list<PrimaryStorage>())
        if (storage.state == "Enabled" && storage.status == ConnectionStatus::connected &&
            reaches(services, vm, storage.uuid))
            return storage.uuid;
    throw Error(Code::storage_allocate, "no primary storage that the VM " + vm.name + " reaches is Enabled and Connected");
}

void make_file(Services& services, Job& job, const AttachVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (volume.status == VolumeStatus::ready) return;
    if (volume.status == VolumeStatus::not_instantiated) {
        const PrimaryStorageId storage = choose_storage(services, services.inventory.get<Vm>(params.vm));
        require_room(services, storage, volume.size, shown(volume));
        services.inventory.modify<Volume>(params.volume, [&](Volume& record) {
            record.primary_storage = storage;
            record.status = VolumeStatus::creating;
        });
    }
    make_volume_file(services, params.volume, {}, job.cancellation());
}

void forget_half_made_file(Services& services, const VolumeId& id) {
    const Volume volume = services.inventory.get<Volume>(id);
    if (volume.status != VolumeStatus::creating) return;
    remove_volume_file(services, volume);
    services.inventory.modify<Volume>(id, [](Volume& record) {
        record.primary_storage = PrimaryStorageId();
        record.install_path.clear();
        record.status = VolumeStatus::not_instantiated;
    });
}

void plug_live(Services& services, Job& job, const Vm& vm, const Volume& volume, int device_id) {
    job.cancellation().check();
    try {
        services.disks.attach(vm.uuid, make_disk(services, vm, volume, device_id));
    } catch (const Error& error) {
        // A VM that went down meanwhile finds the volume at its next start.
        if (error.code() != Code::vm_wrong_state || access_of(services, vm) == DiskAccess::live) throw;
    }
}

void plug(Services& services, Job& job, const AttachVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (is_used_by(services, volume, params.vm)) return;
    const Vm vm = services.inventory.get<Vm>(params.vm);
    const int device_id = free_device_id(services, params.vm);
    if (access_of(services, vm) == DiskAccess::live) plug_live(services, job, vm, volume, device_id);
    record_attached(services, volume, params.vm, device_id);
}

bool has_disk(Services& services, const VmId& vm, const VolumeId& volume) {
    const auto live = services.disks.look(vm);
    if (!live) return false;
    return std::any_of(live->disks.begin(), live->disks.end(), [&](const LiveDisk& disk) { return disk.volume == volume; });
}

// A plug that failed may have had its effect. What cannot be taken back is written down, so that nobody else gets the
// volume.
void take_back(Services& services, const AttachVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (is_used_by(services, volume, params.vm) || !has_disk(services, params.vm, params.volume)) return;
    try {
        Cancellation nobody;
        services.disks.detach(params.vm, params.volume, patience_with_undo, nobody);
    } catch (const Error& error) {
        log::warning("a volume whose attaching failed could not be taken back",
                     {{"volume", params.volume.str()}, {"vm", params.vm.str()}, {"error", error.details()}});
        record_attached(services, volume, params.vm, free_device_id(services, params.vm));
    }
}

// What goes wrong once the check is passed is a failure of attaching.
std::function<void()> attaching(const std::function<void()>& work) {
    return [work] {
        try {
            work();
        } catch (...) {
            const Error error = current_error();
            if (error.code() == Code::job_cancelled) throw error;
            throw Error(Code::vm_attach_volume, error.details(), error);
        }
    };
}

VmId vm_to_leave(Services& services, const Volume& volume, const DetachVolume& params) {
    if (volume.type != VolumeType::data) fail(shown(volume) + " is a Root volume, which belongs to its VM");
    if (volume.shareable && params.vm.empty())
        fail("parameter 'vmUuid' must say which VM " + shown(volume) + " is to leave: it is shareable");
    const std::vector<Vm> users = users_of(services, volume);
    for (const Vm& vm : users)
        if (params.vm.empty() || vm.uuid == params.vm) return vm.uuid;
    fail(shown(volume) + " is not attached to " + (params.vm.empty() ? "any VM" : "the VM " + params.vm.str()));
}

}  // namespace

json attach_data_volume(Services& services, Job& job, const AttachVolume& params) {
    Flow(job)
        .step(
            "check", [&] { check(services, job, params); }, [&] { forget_half_made_file(services, params.volume); })
        .step("make the file", attaching([&] { make_file(services, job, params); }))
        .step("attach", attaching([&] { plug(services, job, params); }), [&] { take_back(services, params); })
        .run();
    return services.inventory.answer("Volume", params.volume.str());
}

json detach_data_volume(Services& services, Job& job, const DetachVolume& params) {
    settle_creations(services, params.volume);
    const Volume volume = services.inventory.get<Volume>(params.volume);
    const bool has_left = params.vm.empty() ? users_of(services, volume).empty() : !is_used_by(services, volume, params.vm);
    if (job.resumed() && has_left) return services.inventory.answer("Volume", params.volume.str());
    unplug(services, job, volume, vm_to_leave(services, volume, params));
    return services.inventory.answer("Volume", params.volume.str());
}

}  // namespace hvagent::operations
