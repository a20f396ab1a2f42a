// The rows of volume snapshots and their trees.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table snapshot_api(Services& services);

}  // namespace hvagent::operations
