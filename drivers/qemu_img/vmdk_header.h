// The header of VMware disks: the one-file kinds are read, those that name other files are told apart.
#pragma once
#include "drivers/qemu_img/header_file.h"
#include "hvagent/drivers/disk_images.h"

namespace hvagent {

// Fills backing_file and has_external_data_file; sizes are left to qemu-img.
void read_vmdk_header(const HeaderFile& file, DiskImageInfo& info);

}  // namespace hvagent
