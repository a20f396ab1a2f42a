// Layers that QEMU opened for a libvirtd that died before it wrote that down. The next libvirtd does not know them: it can
// neither open their files, which QEMU holds locked, nor see that a guest writes to one of them.
#pragma once
#include <string>

#include "drivers/libvirt/domain_xml/domain_disks.h"
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call. `path` is of no layer that libvirt shows. What the guest wrote to it goes into `below`, the layer that
// libvirt takes for the active one, and becomes so again; then QEMU closes it. Returns whether there was any: the file is
// nobody's then. Error(timeout): QEMU is still at it; to be called again.
bool close_stray_layers(virDomainPtr domain, const std::string& path, const DomainLayer& below, const std::string& what);

}  // namespace hvagent::libvirt
