// The whole state of the host, as one report tells it.
#pragma once
#include <functional>

#include "agent/inventory/inventory.h"
#include "agent/reports/report.h"

namespace hvagent::reports {

// {"uuid", "name", "status", "memory"...}
json host_part(const inventory::Inventory& inventory, const HostId& host);
// The member "guest" of a VM, null where nothing is known; called inside writes and must not ask anybody.
using GuestOf = std::function<json(const VmId&)>;
// [{"uuid", "state", "reason", "source", "observedAt", "guest"?}], every VM there is.
json vms_part(const inventory::Inventory& inventory, const GuestOf& guest_of);
// One change, for the log.
json change_part(const inventory::VmChange& change, Time now, const GuestOf& guest_of);

}  // namespace hvagent::reports
