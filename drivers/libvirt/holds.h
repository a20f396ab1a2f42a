// Marks in the live metadata of a VM: that we stopped its CPUs, or had its file systems frozen, for a moment. They outlive
// this daemon and libvirtd, so that whoever comes next lets go what the moment has outlasted.
#pragma once
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

enum class Hold { cpus, file_systems };

// Inside a call; they return as libvirt's calls do.
int mark_hold(virDomainPtr domain, Hold hold);
int unmark_hold(virDomainPtr domain, Hold hold);
bool has_hold(virDomainPtr domain, Hold hold);
// A virDomainState; VIR_DOMAIN_NOSTATE: libvirt does not say.
int state_of(virDomainPtr domain);

}  // namespace hvagent::libvirt
