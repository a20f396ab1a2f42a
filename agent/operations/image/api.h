// The rows of the image operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table image_api(Services& services);

}  // namespace hvagent::operations
