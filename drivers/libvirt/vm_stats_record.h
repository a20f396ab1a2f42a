// One record of virConnectGetAllDomainStats as VmStats.
#pragma once
#include "drivers/libvirt/handles.h"
#include "hvagent/drivers/vm_stats.h"

namespace hvagent::libvirt {

// Fields this version does not know are left out.
VmStats read_stats(VmId vm, const virTypedParameter* params, int count);

}  // namespace hvagent::libvirt
