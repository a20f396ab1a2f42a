// Layers that QEMU opened for a libvirtd that died before it wrote that down. The next libvirtd does not know them: it can
// neither open their files, which QEMU holds locked, nor see that a guest writes to one of them.
#pragma once
#include <string>

#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call. `path` is of no layer that libvirt shows. QEMU closes it where nothing uses it; returns whether there was
// any: the file is nobody's then, and as it was made. Error(operation_failed): the guest writes to it. Neither libvirt nor
// anybody else can put that right while the VM runs; off, the file is what the disk goes on with.
bool close_stray_layers(virDomainPtr domain, const std::string& path, const std::string& what);

}  // namespace hvagent::libvirt
