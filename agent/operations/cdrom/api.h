// The rows of CD-ROMs, ISOs and the boot order.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table cdrom_api(Services& services);

}  // namespace hvagent::operations
