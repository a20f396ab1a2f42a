// A guest whose CPUs or file systems were held for a snapshot or a copy.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// After such work, however it ended: nothing stays held. Where the guest does not confirm it now, it is tried again until
// it does.
void let_go_of_guest(Services& services, const VmId& vm);

}  // namespace hvagent::operations
