// The agent's own provider of network services, as clients see it.
#pragma once
#include "agent/api/resource_shape.h"

namespace hvagent::operations {

const api::ResourceShape& network_provider_shape();

}  // namespace hvagent::operations
