// The whole state of the host, as one report tells it.
#pragma once
#include "agent/inventory/inventory.h"
#include "agent/reports/report.h"

namespace hvagent::reports {

// {"uuid", "name", "status", "memory"...}
json host_part(const inventory::Inventory& inventory, const HostId& host);
// [{"uuid", "state", "reason", "source", "observedAt"}], every VM there is.
json vms_part(const inventory::Inventory& inventory);
// One change, for the log.
json change_part(const inventory::VmChange& change, Time now);

}  // namespace hvagent::reports
