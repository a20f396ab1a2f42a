// The qcow2 header (QEMU docs/interop/qcow2.txt).
#pragma once
#include "drivers/qemu_img/header_file.h"
#include "hvagent/drivers/disk_images.h"

namespace hvagent {

// Fills everything but format and actual_size. Error(operation_failed) when the header contradicts itself or the file is
// shorter than its tables say.
void read_qcow2_header(const HeaderFile& file, DiskImageInfo& info);

}  // namespace hvagent
