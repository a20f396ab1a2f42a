// A volume that stands alone: what its chain holds below the active layer comes into one file.
#pragma once
#include <vector>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

struct FlattenPrediction {
    Volume volume;
    Bytes bytes_to_copy = 0;   // 0: it stands alone already
    Bytes resulting_size = 0;  // bytes on disk
    bool fits = true;          // when all volumes before it are flattened too
};

// Changes nothing.
std::vector<FlattenPrediction> predict_flatten(Services& services, const std::vector<Volume>& volumes);

// Flattens them in this order. Error(volume_flatten) with its reason: a volume that could not be flattened, and all after
// it, are as they were. Nothing is begun when one does not fit. Snapshots stay, with the files that only they need.
void flatten(Services& services, Job& job, const std::vector<Volume>& volumes);

}  // namespace hvagent::operations
