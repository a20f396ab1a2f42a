// Where a new template can be stored.
#pragma once
#include <vector>

#include "agent/operations/services.h"

namespace hvagent::operations {

// Enabled, Connected and attached to the zone of the primary storage; the one with the most room first.
std::vector<BackupStorage> storages_for(Services& services, const PrimaryStorageId& source);

}  // namespace hvagent::operations
