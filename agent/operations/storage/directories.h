// The directories that storages live in.
#pragma once
#include <string>

#include "agent/operations/services.h"

namespace hvagent::operations {

// The directory a client wants a new storage in, without a slash at its end. Error(invalid_argument) when it is not plain
// and absolute, belongs to the system, or overlaps with what the agent uses already.
std::string check_new_directory(const Services& services, const std::string& url);

// At start: makes every recorded storage's directory known to `files`. A storage that cannot be reached is Disconnected.
void open_storages(inventory::Inventory& inventory, StorageFiles& files);

}  // namespace hvagent::operations
