// The disks of clones: copies of what the source's disks hold at one moment.
#pragma once
#include "agent/operations/clone/clone_plan.h"

namespace hvagent::operations {

// Error(storage_allocate) when the copies do not fit; nothing is begun.
void require_room_for_clones(Services& services, const std::vector<PlannedClone>& clones);

// Copies the disks of a stopped VM, or those of an earlier clone (`model`) whose disks are whole, to `clone`, and records
// its volumes as Ready. Volumes that are Ready are left alone, files of an earlier life of the job are made again.
void copy_disks(Services& services, Job& job, const PlannedClone& clone, const PlannedClone* model,
                const ProgressPercent& progress);
// The same from a VM that runs or is paused: all disks as they are at one moment.
void copy_live_disks(Services& services, Job& job, const VmId& source, const PlannedClone& clone,
                     const ProgressPercent& progress);
bool has_disks(Services& services, const PlannedClone& clone);

}  // namespace hvagent::operations
