// The layers of a volume on the host: what lies on what really, and putting the active layer onto another one.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "agent/operations/services.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/job.h"

namespace hvagent::operations {

// Error(storage_allocate) when the volume's storage has not even the room for a fresh layer.
void require_room_for_layer(Services& services, const Volume& volume);
// A path for a new layer of the volume, of this name unless there is such a file already. Its directory exists.
std::string path_for_layer(Services& services, const Volume& volume, const std::string& name);
// Whether `path` is a whole layer that lies on `base`.
bool is_layer_on(Services& services, const std::string& path, const std::string& base);

// As access_of, after waiting for a libvirt that is silent.
DiskAccess await_access(Services& services, const Volume& volume);
// Paths from the active layer down, as the running QEMU or the files say.
std::vector<std::string> layers_of(Services& services, const Volume& volume);

// Copies what lies between the active layer and `base` (a path of its chain; empty: everything) into the active layer,
// live or offline. Error(storage_allocate) before anything is copied that cannot fit. Repeatable; after an error or a
// cancellation the chain is as it was.
void put_active_layer_on(Services& services, Job& job, const VolumeId& volume, const std::string& base);

// The file names its new base, but where the data lies that was merged into it may have died with QEMU.
[[noreturn]] void refuse_doubtful_merge(const Volume& volume);
// Whether this job made the merge that is on disk, and made it so that nothing of it can be missing.
bool is_merge_certain(Job& job);

// Error(operation_failed) when a layer of another volume lies on one of these files.
void check_nobody_else_uses(Services& services, const VolumeId& owner, const std::set<std::string>& files);

// The volume's active layer and sizes, written into its record.
void record_sizes(Services& services, const VolumeId& volume);

}  // namespace hvagent::operations
