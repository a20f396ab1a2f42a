// CD-ROMs, ISOs and the boot order: parameters and handlers.
#pragma once
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/cdrom/boot_order.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct AttachIso {
    VmId vm;
    ImageId iso;
    api::Tags tags;
};

struct DetachIso {
    VmId vm;
    ImageId iso;  // empty: the only one
};

struct IsoCandidates {
    VmId vm;
};

struct IsoVmCandidates {
    ImageId iso;
};

struct OfBootOrder {
    VmId vm;
};

struct SetBootOrder {
    VmId vm;
    std::vector<BootDevice> order;  // empty: the default
    api::Tags tags;
};

// iso.cpp
json attach_iso(Services& services, Job& job, const AttachIso& params);
json detach_iso(Services& services, Job& job, const DetachIso& params);

// iso_candidates.cpp
json get_isos_for_vm(Services& services, const api::Call& call, const IsoCandidates& params);
json get_vms_for_iso(Services& services, const api::Call& call, const IsoVmCandidates& params);

// boot_order.cpp
json get_boot_order(Services& services, const api::Call& call, const OfBootOrder& params);
json set_boot_order(Services& services, Job& job, const SetBootOrder& params);

}  // namespace hvagent::operations
