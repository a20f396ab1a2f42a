// What the first start makes: a host that can run VMs at once.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"
#include "hvagent/ids.h"

namespace hvagent::operations {

// Makes, once, what the settings describe and the store has not: zone, cluster, this host, primary and backup storage with
// their attachments, the NAT network with its address range and services, and the admin account. What was deleted through
// the API is not made again, and names changed there stay. Returns this host's uuid, which never changes.
// Error(invalid_argument) when a path or address in the settings differs from that of a storage or network in use.
HostId make_defaults(inventory::Inventory& inventory, const config::Settings& settings);

// The uuid of something the first start made; it may be deleted since. Known: "zone", "cluster", "host", "primary-storage",
// "backup-storage", "l2-network", "l3-network", "ip-range", "network-provider".
std::optional<std::string> find_default(const inventory::Inventory& inventory, std::string_view what);

}  // namespace hvagent::operations
