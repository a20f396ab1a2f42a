// All operations, joined.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

// `others`: tables of what is no operation on the host: identity, jobs. `services` must outlive the catalog.
api::Catalog make_catalog(Services& services, std::vector<api::Table> others);
// The resources that the answers of these operations carry; those of `others` are not among them.
std::vector<api::ResourceShape> resource_shapes();

}  // namespace hvagent::operations
