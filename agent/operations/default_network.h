// The NAT network of the settings, made at the first start.
#pragma once
#include <string>
#include <string_view>

#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"

namespace hvagent::operations {

// Part of make_defaults.
void make_default_network(inventory::Inventory& inventory, const config::Settings& settings);
// Written once; find_default reads it.
void remember_default(inventory::Inventory& inventory, std::string_view what, const std::string& uuid);

}  // namespace hvagent::operations
