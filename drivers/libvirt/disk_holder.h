// Who has a disk that a lock keeps a VM from.
#pragma once
#include <libvirt/libvirt.h>

#include <string>

#include "drivers/libvirt/libvirt_error.h"

namespace hvagent::libvirt {

// The file that QEMU's lock, or a lease of virtlockd, kept from being opened, by libvirt's text; empty: the failure was
// another one. Texts of QEMU 2.10 to 9 and libvirt 8 to 10.
std::string locked_file(const std::string& text);

// The failure of a start. When a lock was in the way, with the running VM of this host that holds it, or that it is none of
// them.
Error with_holder(virConnectPtr connection, const std::string& what, const LibvirtError& failure);

}  // namespace hvagent::libvirt
