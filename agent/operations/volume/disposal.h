// A volume goes for good.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// Files, then the records of the volume, its snapshots and trees, and what was to happen to it at times. Repeatable.
// Error(operation_failed) while a layer of another volume lies on one of its layers.
void dispose_of(Services& services, const Volume& volume);

// The records only: the files are another host's. Repeatable.
void forget(Services& services, const Volume& volume);

}  // namespace hvagent::operations
