// Taking a VM apart.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// Off the host: plug pulled, definition gone, addresses returned, DHCP entries withdrawn. Repeatable.
void take_off_host(Services& services, const VmId& vm);
// Data volumes stay Ready and belong to nobody; a shared one to those it is still shared by.
void let_go_of_data_volumes(Services& services, const VmId& vm);
// Root volume with its snapshots, serial log, records and tags. Repeatable.
void remove_root_and_records(Services& services, const VmId& vm);
// A VM that was only recorded, and what a first start that failed made of it.
void remove_never_started(Services& services, const VmId& vm);
// After a creation that failed: everything, data volumes included. What cannot be removed is logged; a VM that cannot be
// taken off the host stays recorded, so that somebody can destroy it.
void remove_vm_completely(Services& services, const VmId& vm);

}  // namespace hvagent::operations
