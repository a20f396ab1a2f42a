// The rows of the zone, cluster and host operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table place_api(Services& services);

}  // namespace hvagent::operations
