// Who has a VM whose root volume several hosts see. A note beside the volumes, owners/<vm>.json below the storage's
// directory, names the host that started or took over the VM last, and the VM's epoch then. So an agent whose records are
// from yesterday (a store from a backup, a host that was away while its VM moved) does not start what is another host's, not
// even when the VM is off there and no lock of QEMU stands in the way.
#pragma once
#include <cstdint>

#include "agent/operations/services.h"

namespace hvagent::operations {

// In words; empty when the VM is this host's to start and to remove.
std::string why_not_ours(Services& services, const Vm& vm);

// Before a start of a VM that is ours. Returns the epoch of the life that begins, and writes the note where there has to be
// one.
std::int64_t claim(Services& services, const Vm& vm);

// At the arrival of a VM from another host that uses the storage as well; before its records are this host's. Returns the
// epoch of its life here. Repeatable. A note that cannot be written is told in the log only: the records here are newer than
// any others all the same.
std::int64_t claim_arriving(Services& services, const Vm& vm, const PrimaryStorage& storage);

// Where the note of the VM is, or would be; empty for a VM without a root volume.
std::string owner_note_path(Services& services, const Vm& vm);

}  // namespace hvagent::operations
