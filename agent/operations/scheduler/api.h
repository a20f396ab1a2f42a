// The rows of schedulers.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table scheduler_api(Services& services);

}  // namespace hvagent::operations
