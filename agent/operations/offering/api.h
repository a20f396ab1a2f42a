// The rows of the instance and disk offering operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table offering_api(Services& services);

}  // namespace hvagent::operations
