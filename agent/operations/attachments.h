// What is attached to what: storages and L2 networks to clusters and zones.
#pragma once
#include <string>

#include "agent/inventory/inventory.h"

namespace hvagent::operations {

inline constexpr const char* primary_storage_to_cluster = "ps-cluster";
inline constexpr const char* backup_storage_to_zone = "bs-zone";
inline constexpr const char* l2_network_to_cluster = "l2-cluster";

bool is_attached(const inventory::Inventory& inventory, const std::string& kind, const std::string& from,
                 const std::string& to);
// Attached already is a success.
void attach(inventory::Inventory& inventory, const std::string& kind, const std::string& from, const std::string& to);
// Everything that `uuid` is attached to, and that is attached to it.
void remove_attachments(inventory::Inventory& inventory, const std::string& uuid);

}  // namespace hvagent::operations
