// What an image says about itself, read by us before any tool that would follow it to other files.
#pragma once
#include <string>

#include "drivers/qemu_img/header_file.h"
#include "hvagent/drivers/disk_images.h"

namespace hvagent {

// The format by magic number; "raw" for what has none, which includes ISO 9660.
std::string detect_format(const HeaderFile& file);

// Names other files, or needs none. `virtual_size` is 0 for formats whose headers are left to qemu-img. Formats: qcow2, raw,
// vmdk, vdi, vhdx, vpc, luks. Error(operation_failed) when the file is not of this format, or cut off.
DiskImageInfo read_header(const HeaderFile& file, const std::string& format);

}  // namespace hvagent
