// The rows of volumes.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table volume_api(Services& services);

}  // namespace hvagent::operations
