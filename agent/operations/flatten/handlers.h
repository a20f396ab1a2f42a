// FlattenVmInstance and FlattenVolume.
#pragma once
#include <nlohmann/json.hpp>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct FlattenVm {
    VmId vm;
    bool full = true;
    bool dry_run = false;
};

struct FlattenVolume {
    VolumeId volume;
    bool dry_run = false;
};

json flatten_vm(Services& services, Job& job, const FlattenVm& params);
json flatten_volume(Services& services, Job& job, const FlattenVolume& params);

}  // namespace hvagent::operations
