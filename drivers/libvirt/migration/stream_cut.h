// Disk streams of a move whose other end is gone: QEMU waits for it for ever, and libvirt cannot end the move before.
#pragma once
#include <libvirt/libvirt.h>

namespace hvagent::libvirt {

// Cuts the connections over which the disks of a move are copied; the move then fails, and the guest goes on at the source.
// Returns as libvirt's calls do. To be used before the memory is moved only.
int cut_disk_streams(virDomainPtr domain);

}  // namespace hvagent::libvirt
