#include "agent/operations/volume/disk_spec.h"

#include <algorithm>

#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// Each virtio disk takes one of the few PCI slots that a running VM has left; disks from this id on share one controller.
constexpr int first_on_scsi = 8;

DiskBus bus_of(Services& services, const Vm& vm, const Volume& volume, int device_id) {
    if (!vm.virtio) return DiskBus::sata;
    const bool wants_scsi = has_tag(system_tags_of(services.inventory, volume.uuid.str()), "capability::virtio-scsi");
    return wants_scsi || device_id >= first_on_scsi ? DiskBus::scsi : DiskBus::virtio;
}

}  // namespace

DiskSpec make_disk(Services& services, const Vm& vm, const Volume& volume, int device_id) {
    if (volume.install_path.empty() || !services.files.exists(volume.install_path))
        throw Error(Code::operation_failed, shown(volume) + " has no file at " + volume.install_path);
    DiskSpec disk;
    disk.volume = volume.uuid;
    disk.path = volume.install_path;
    disk.format = volume.format;
    disk.device_id = device_id;
    disk.shareable = volume.shareable;
    disk.throttle = volume.throttle;
    disk.bus = bus_of(services, vm, volume, device_id);
    return disk;
}

std::vector<DiskSpec> make_disks(Services& services, const Vm& vm) {
    std::vector<DiskSpec> disks;
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", vm.uuid.str()}}))
        disks.push_back(make_disk(services, vm, volume, volume.device_id.value_or(0)));
    for (const ShareableVolumeRef& ref : services.inventory.list<ShareableVolumeRef>({{"vmInstanceUuid", vm.uuid.str()}}))
        disks.push_back(make_disk(services, vm, services.inventory.get<Volume>(ref.volume), ref.device_id));
    std::sort(disks.begin(), disks.end(), [](const DiskSpec& a, const DiskSpec& b) { return a.device_id < b.device_id; });
    return disks;
}

}  // namespace hvagent::operations
