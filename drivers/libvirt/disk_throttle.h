// Limits of a disk of a VM.
#pragma once
#include <string>

#include "drivers/libvirt/handles.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent::libvirt {

// Inside a call. `scope`: VIR_DOMAIN_AFFECT_LIVE or _CONFIG. Sets all limits, those of 0 are lifted.
void throttle_disk(virDomainPtr domain, const std::string& target, const DiskThrottle& throttle, unsigned scope,
                   const std::string& what);

}  // namespace hvagent::libvirt
