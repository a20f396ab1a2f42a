// The rows of the VM operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table vm_api(Services& services);

}  // namespace hvagent::operations
