// The rows of volume snapshots and their trees.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table snapshot_api(Services& services);
// Trees are answered with their nodes, which no table holds.
void add_tree_shapes(std::vector<api::ResourceShape>& shapes);

}  // namespace hvagent::operations
