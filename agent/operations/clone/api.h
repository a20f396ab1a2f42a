// The rows of what gives a VM other disks: reimage, change of image, clone.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table clone_api(Services& services);
// What answers of these operations carry beside resources of the inventory.
std::vector<api::ResourceShape> clone_shapes();

}  // namespace hvagent::operations
