// The layers of a qcow2 file, followed by us before any tool follows them.
#pragma once
#include <string>
#include <vector>

#include "hvagent/drivers/disk_images.h"

namespace hvagent {

// The top first; every layer but the last is qcow2, the last one qcow2 or raw. Error(operation_failed) names the layer that
// is missing, whose name is no plain absolute path, that is not what the layer above says, that keeps its data elsewhere, or
// that was there before. Error(io_failed) when one cannot be read.
std::vector<DiskLayer> read_backing_chain(const std::string& path);

}  // namespace hvagent
