// The rows of the operations that move VMs between hosts.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table migration_api(Services& services);

}  // namespace hvagent::operations
