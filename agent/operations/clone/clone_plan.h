// The VMs that a CloneVmInstance makes: which, from which volumes, and their records.
#pragma once
#include <vector>

#include "agent/operations/clone/handlers.h"

namespace hvagent::operations {

struct ClonedDisk {
    VolumeId source;
    VolumeId made;
};

struct PlannedClone {
    VmId vm;
    std::string name;
    std::vector<ClonedDisk> disks;  // the first is the root disk
};

// One per name. The same in every life of the job.
std::vector<PlannedClone> plan_clones(Services& services, Job& job, const CloneVm& params);
// Error(invalid_argument) or Error(no_available_host) names the parameter or tag that cannot be heeded.
void check_clones(Services& services, const CloneVm& params);
// VM, volumes (Creating), NICs with addresses of their own and empty CD-ROM drives.
void record_clone(Services& services, const CloneVm& params, const PlannedClone& clone);

}  // namespace hvagent::operations
