// The rows of the primary and backup storage operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table storage_api(Services& services);

}  // namespace hvagent::operations
