// See inventory/observe_change.h.
#pragma once
#include "agent/inventory/observe_change.h"

namespace hvagent::operations {

using inventory::observe_change;

}  // namespace hvagent::operations
