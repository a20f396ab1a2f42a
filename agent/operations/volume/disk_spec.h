// Volumes as the disks of a VM.
#pragma once
#include <vector>

#include "agent/operations/services.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent::operations {

// Error(operation_failed) when the volume has no file.
DiskSpec make_disk(Services& services, const Vm& vm, const Volume& volume, int device_id);
// All disks of a VM, shared ones too, by device id.
std::vector<DiskSpec> make_disks(Services& services, const Vm& vm);

}  // namespace hvagent::operations
