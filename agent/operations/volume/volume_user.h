// Who works with a volume now, and the queues that keep jobs on it apart.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/operations/services.h"

namespace hvagent::operations {

// The VM a volume is attached to; nullopt when there is none. Of a shareable volume: none, see users_of.
std::optional<Vm> vm_of(Services& services, const Volume& volume);
// Every VM that has the volume: one at most, unless it is shareable.
std::vector<Vm> users_of(Services& services, const Volume& volume);
bool is_used_by(Services& services, const Volume& volume, const VmId& vm);
// "the volume data-1 (7e...)"
std::string shown(const Volume& volume);

// Of an operation on a volume: the volume's own queue and its VM's, so that no job on the VM runs beside it.
std::vector<std::string> volume_queues(Services& services, const VolumeId& volume);
// Of an operation on a whole VM's disks: its queue and those of its volumes.
std::vector<std::string> vm_and_volume_queues(Services& services, const VmId& vm);

// How an operation reaches the volume's layers: while a QEMU has them open, only through it.
enum class DiskAccess {
    live,    // the VM runs or is paused: VmDisks
    offline  // nobody has the files open: DiskImages
};
// Error(vm_wrong_state) while the VM's state is Unknown or on its way, so that nobody touches files that may be open, and
// when the VM is another host's by now. Of a shareable volume: live when any of its VMs is.
DiskAccess access_of(Services& services, const Volume& volume);
DiskAccess access_of(Services& services, const Vm& vm);

}  // namespace hvagent::operations
