// Snapshots come into being: the active layer of a volume is frozen under a new one.
//
// While a snapshot is Creating its path is that of the new layer and the volume's is that of the old one; both change
// places when the layer has been switched. So whoever finds such a record can end what a crash left open: the new layer is
// either what the guest writes to, or empty; a volume that goes on with it has lost nothing.
#pragma once
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

inline constexpr int longest_tree = 64;  // snapshots above each other

struct NewSnapshot {
    SnapshotId uuid;
    VolumeId volume;
    std::string name;
    std::string description;
    std::string group;  // of those taken at one moment
    api::Tags tags;
};

// All of them at one moment, or none; the volumes are of one VM when they are several. Returns whether the guest's file
// systems were quiet. Repeatable.
bool make_snapshots(Services& services, Job& job, const std::vector<NewSnapshot>& wanted);

// Ends what a crash left open on the volume: where the layer was switched the snapshot is Ready, else nothing of it stays.
// Error(vm_wrong_state), Error(host_connection): the truth cannot be seen now.
void settle_creations(Services& services, const VolumeId& volume);
// Of all volumes of the VM.
void settle_creations(Services& services, const VmId& vm);

}  // namespace hvagent::operations
