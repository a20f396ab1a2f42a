#include "agent/operations/volume/attachment.h"

#include <algorithm>
#include <set>

#include "agent/operations/attachments.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// How long a guest may take to let go of a disk; a healthy one needs well under a second.
constexpr milliseconds patience{10000};

std::set<int> device_ids(Services& services, const VmId& vm) {
    std::set<int> taken;
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", vm.str()}}))
        taken.insert(volume.device_id.value_or(0));
    for (const ShareableVolumeRef& ref : services.inventory.list<ShareableVolumeRef>({{"vmInstanceUuid", vm.str()}}))
        taken.insert(ref.device_id);
    return taken;
}

std::optional<ShareableVolumeRef> find_ref(Services& services, const VolumeId& volume, const VmId& vm) {
    const auto refs =
        services.inventory.list<ShareableVolumeRef>({{"volumeUuid", volume.str()}, {"vmInstanceUuid", vm.str()}});
    return refs.empty() ? std::nullopt : std::optional(refs.front());
}

void unplug_live(Services& services, Job& job, const Volume& volume, const Vm& vm) {
    // A request made now would stay with QEMU, and the guest would heed it when nobody expects it any more.
    if (services.inventory.get<Vm>(vm.uuid).observed == VmState::paused)
        throw Error(Code::operation_failed, "the guest of the VM " + vm.name + " is paused and cannot let go of " +
                                                shown(volume) + "; resume or stop it first");
    try {
        services.disks.detach(vm.uuid, volume.uuid, patience, job.cancellation());
    } catch (const Error& error) {
        // Nothing holds the disk of a VM that went down meanwhile.
        if (error.code() != Code::vm_wrong_state || access_of(services, vm) == DiskAccess::live) throw;
    }
}

}  // namespace

bool reaches(Services& services, const Vm& vm, const PrimaryStorageId& storage) {
    return is_attached(services.inventory, primary_storage_to_cluster, storage.str(), vm.cluster.str());
}

bool reaches(Services& services, const Vm& vm, const Volume& volume) {
    return volume.primary_storage.empty() || reaches(services, vm, volume.primary_storage);
}

int count_data_volumes(Services& services, const VmId& vm) {
    const std::set<int> taken = device_ids(services, vm);
    return static_cast<int>(taken.size() - taken.count(0));
}

int free_device_id(Services& services, const VmId& vm) {
    const std::set<int> taken = device_ids(services, vm);
    int id = 1;
    while (taken.contains(id)) ++id;
    return id;
}

Vm require_state(Services& services, const VmId& id, std::initializer_list<VmState> allowed, const std::string& what) {
    services.states.wait_connected(services.settings.libvirt_wait);
    const Vm vm = services.inventory.get<Vm>(id);
    if (std::find(allowed.begin(), allowed.end(), vm.state()) != allowed.end()) return vm;
    std::string names;
    for (const VmState one : allowed) names += (names.empty() ? "" : ", ") + std::string(to_text(one));
    throw Error(Code::vm_wrong_state, "the VM " + vm.name + " (" + id.str() + ") is " + std::string(to_text(vm.state())) +
                                          ", and " + what + " is allowed in " + names + " only");
}

void record_attached(Services& services, const Volume& volume, const VmId& vm, int device_id) {
    services.inventory.transaction([&] {
        if (volume.shareable && !find_ref(services, volume.uuid, vm)) {
            ShareableVolumeRef ref;
            ref.uuid = make_uuid();
            ref.volume = volume.uuid;
            ref.vm = vm;
            ref.device_id = device_id;
            services.inventory.insert(ref);
        }
        services.inventory.modify<Volume>(volume.uuid, [&](Volume& record) {
            record.last_attached = services.clock.now();
            if (record.shareable) return;
            record.vm = vm;
            record.device_id = device_id;
        });
    });
}

void record_detached(Services& services, const VolumeId& volume, const VmId& vm) {
    services.inventory.transaction([&] {
        if (const auto ref = find_ref(services, volume, vm)) services.inventory.remove<ShareableVolumeRef>(ref->uuid);
        services.inventory.modify<Volume>(volume, [&](Volume& record) {
            record.last_vm = vm;
            record.vm = VmId();
            record.device_id.reset();
            record.last_detached = services.clock.now();
        });
    });
}

void unplug(Services& services, Job& job, const Volume& volume, const VmId& id) {
    const auto known = services.inventory.find<Vm>(id);
    if (known && known->intent == VmIntent::kept) {
        using enum VmState;
        const Vm vm = require_state(services, id, {running, stopped, crashed, paused}, "detaching a volume");
        if (access_of(services, vm) == DiskAccess::live) unplug_live(services, job, volume, vm);
    }
    record_detached(services, volume.uuid, id);
}

}  // namespace hvagent::operations
