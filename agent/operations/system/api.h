// The rows about the agent itself: version, time, readiness, settings.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table system_api(Services& services);
// ManagementNode and GlobalConfig: they are not in the inventory.
std::vector<api::ResourceShape> system_shapes();

}  // namespace hvagent::operations
