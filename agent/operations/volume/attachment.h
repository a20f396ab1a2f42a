// What ties a volume to a VM: who can reach it, its place there, and letting it go.
#pragma once
#include <initializer_list>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

inline constexpr int most_data_volumes = 24;  // of one VM

// Whether the VM's cluster can use the storage. A volume that has no storage yet gets one that it can.
bool reaches(Services& services, const Vm& vm, const PrimaryStorageId& storage);
bool reaches(Services& services, const Vm& vm, const Volume& volume);
int count_data_volumes(Services& services, const VmId& vm);
// The smallest number above 0 that no other disk of the VM has.
int free_device_id(Services& services, const VmId& vm);
// Waits for libvirt where it is silent. Error(vm_wrong_state).
Vm require_state(Services& services, const VmId& vm, std::initializer_list<VmState> allowed, const std::string& what);

void record_attached(Services& services, const Volume& volume, const VmId& vm, int device_id);
void record_detached(Services& services, const VolumeId& volume, const VmId& vm);

// Takes the disk from the VM, and the volume is free when the guest has let go. Error(operation_failed): it has not, and
// everything is as it was. Error(vm_wrong_state): the VM is in no state to be asked. Repeatable.
void unplug(Services& services, Job& job, const Volume& volume, const VmId& vm);

}  // namespace hvagent::operations
