// The qcow2 header (QEMU docs/interop/qcow2.txt).
#pragma once
#include "drivers/qemu_img/header_file.h"
#include "hvagent/drivers/disk_images.h"

namespace hvagent {

// Fills everything but format and actual_size. Error(operation_failed) when the header contradicts itself or the file is
// shorter than its tables say.
void read_qcow2_header(const HeaderFile& file, DiskImageInfo& info);

// What the file lies on, as it is written there; an empty path: nothing, an empty format: not said.
struct Backing {
    std::string path;
    std::string format;
};
Backing read_qcow2_backing(const HeaderFile& file);

Bytes qcow2_cluster_size(const HeaderFile& file);

}  // namespace hvagent
