// The rows of what gives a VM other disks: reimage, change of image, clone.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table clone_api(Services& services);

}  // namespace hvagent::operations
