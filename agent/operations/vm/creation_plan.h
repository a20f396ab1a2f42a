// What a new VM is to be made of, kept in its record until the first start made it.
#pragma once
#include <string>
#include <vector>

#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent::operations {

struct PlannedDisk {
    VolumeId volume;
    std::string name;
    Bytes size = 0;
    DiskOfferingId offering;
    ImageId image;  // empty: an empty disk
    std::vector<std::string> tags;
};

struct CreationPlan {
    PrimaryStorageId storage;
    std::vector<PlannedDisk> disks;  // the first is the root disk
};

std::string to_text(const CreationPlan& plan);
CreationPlan parse_creation_plan(const std::string& text);

}  // namespace hvagent::operations
