// The one call that moves a VM: from libvirtd to libvirtd, while its caller waits.
#pragma once
#include <string>
#include <vector>

#include "drivers/libvirt/handles.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {

struct PreparedMove {
    MigrationWay way;
    std::vector<std::string> copied_disks;  // "vda"
    std::string live_xml;                   // of the destination; empty: as at the source
    std::string persistent_xml;
};

// Inside a call. Also sets the longest downtime to begin with.
PreparedMove prepare_move(virDomainPtr domain, const MigrationWay& way, const std::string& what);

// Inside a call that may take hours. Error(host_connection) only when this connection broke; an error of the libvirtds
// among each other is none.
void call_move(virDomainPtr domain, const PreparedMove& move, const std::string& what);

// The same for a move that broke off in post-copy. Error(operation_failed) while QEMU has not given its stream up.
void call_resumption(virDomainPtr domain, const MigrationWay& way, const std::string& what);

// One total, as libvirt's limit per stream in MiB per second; 0: no limit. Disks are copied all at once, before the memory;
// while that is sent, their mirrors still carry what the guest writes and get half.
unsigned long long disk_limit(Bytes total, std::size_t disks);
unsigned long long memory_limit(Bytes total, std::size_t disks);

}  // namespace hvagent::libvirt
