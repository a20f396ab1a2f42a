// The rows of the L2 and L3 network operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table network_api(Services& services);

}  // namespace hvagent::operations
