// The disks of a VM that runs or is paused, as libvirt shows them now.
#pragma once
#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/domain_xml/domain_disks.h"

namespace hvagent::libvirt {

// Inside a call. Error(vm_wrong_state) when the VM is off.
DomainDisks live_disks(virDomainPtr domain, const std::string& what);
// Error(not_found) names the VM's disks.
DomainDisk live_disk(virDomainPtr domain, const VolumeId& volume, const std::string& what);

// As a call of its own.
DomainDisks live_disks_of(const DomainCalls& calls, const VmId& vm);
DomainDisk live_disk_of(const DomainCalls& calls, const VmId& vm, const VolumeId& volume);

}  // namespace hvagent::libvirt
