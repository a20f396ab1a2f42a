// The rows of flattening.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table flatten_api(Services& services);

}  // namespace hvagent::operations
