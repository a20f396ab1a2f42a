#include "agent/operations/volume/volume_user.h"

#include <algorithm>

#include "agent/api/operation.h"
#include "agent/operations/vm/ownership.h"
#include "hvagent/error.h"

namespace hvagent::operations {

std::optional<Vm> vm_of(Services& services, const Volume& volume) {
    return volume.vm.empty() ? std::nullopt : services.inventory.find<Vm>(volume.vm);
}

std::vector<Vm> users_of(Services& services, const Volume& volume) {
    std::vector<Vm> users;
    if (const auto vm = vm_of(services, volume)) users.push_back(*vm);
    for (const ShareableVolumeRef& ref : services.inventory.list<ShareableVolumeRef>({{"volumeUuid", volume.uuid.str()}}))
        if (const auto vm = services.inventory.find<Vm>(ref.vm)) users.push_back(*vm);
    return users;
}

bool is_used_by(Services& services, const Volume& volume, const VmId& vm) {
    const std::vector<Vm> users = users_of(services, volume);
    return std::any_of(users.begin(), users.end(), [&](const Vm& user) { return user.uuid == vm; });
}

std::string shown(const Volume& volume) {
    return "the volume " + volume.name + " (" + volume.uuid.str() + ")";
}

std::vector<std::string> volume_queues(Services& services, const VolumeId& id) {
    std::vector<std::string> queues{api::queue_name("Volume", id.str())};
    const auto volume = services.inventory.find<Volume>(id);
    if (volume && !volume->vm.empty()) queues.push_back(api::queue_name("VmInstance", volume->vm.str()));
    for (const ShareableVolumeRef& ref : services.inventory.list<ShareableVolumeRef>({{"volumeUuid", id.str()}}))
        queues.push_back(api::queue_name("VmInstance", ref.vm.str()));
    return queues;
}

std::vector<std::string> vm_and_volume_queues(Services& services, const VmId& vm) {
    std::vector<std::string> queues{api::queue_name("VmInstance", vm.str())};
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", vm.str()}}))
        queues.push_back(api::queue_name("Volume", volume.uuid.str()));
    return queues;
}

DiskAccess access_of(Services& services, const Vm& vm) {
    if (vm.intent != VmIntent::kept) return DiskAccess::offline;
    // The record follows events; the question here is who writes to a file, so libvirt itself is asked.
    const auto now = services.states.look(vm.uuid);
    if (now == VmState::running || now == VmState::paused) return DiskAccess::live;
    if (now == VmState::stopped || now == VmState::crashed) {
        if (const std::string reason = why_not_ours(services, vm); !reason.empty())
            throw Error(Code::vm_wrong_state, reason);
        return DiskAccess::offline;
    }
    throw Error(Code::vm_wrong_state, "the state of VM " + vm.name + " (" + vm.uuid.str() +
                                          ") is not known, so the files of its volumes may be in use");
}

DiskAccess access_of(Services& services, const Volume& volume) {
    DiskAccess access = DiskAccess::offline;
    for (const Vm& vm : users_of(services, volume))
        if (access_of(services, vm) == DiskAccess::live) access = DiskAccess::live;
    return access;
}

}  // namespace hvagent::operations
