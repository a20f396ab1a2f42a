// What QEMU keeps of a disk in its memory, on disk.
#pragma once
#include "drivers/libvirt/domain_calls.h"

namespace hvagent::libvirt {

// Makes QEMU write the metadata of the volume's active layer. After a pull the file names its new base at once, while where
// the pulled data lies may still be in QEMU's cache: a QEMU that is killed then takes it along, so nothing may be removed
// before this.
void flush_disk(const DomainCalls& calls, const VmId& vm, const VolumeId& volume);

}  // namespace hvagent::libvirt
