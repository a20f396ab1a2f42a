// Snapshots of a volume as trees: what lies on what, and on which snapshot the volume goes on. Records only.
#pragma once
#include <optional>
#include <vector>

#include "agent/operations/services.h"

namespace hvagent::operations {

// The snapshot that the active layer lies on; nullopt: on none.
std::optional<VolumeSnapshot> base_snapshot(Services& services, const VolumeId& volume);
// The active layer does not lie on any snapshot any more: they stay recorded, and their tree is not current. To be called
// in the transaction that records the volume's new layer.
void leave_tree(Services& services, const VolumeId& volume);
// The active layer lies on this snapshot, and on no other.
void go_on_from(Services& services, const VolumeSnapshot& snapshot);
// The snapshot and all that descend from it, parents before their children.
std::vector<VolumeSnapshot> subtree(Services& services, const VolumeSnapshot& root);

}  // namespace hvagent::operations
