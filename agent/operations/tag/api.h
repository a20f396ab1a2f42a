// The rows of the tag operations.
#pragma once
#include "agent/api/row.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

api::Table tag_api(Services& services);

}  // namespace hvagent::operations
