// What a file from outside really is: it may name other files of the host, or be larger than any disk.
#pragma once
#include <string>

#include "agent/operations/services.h"

namespace hvagent::operations {

// The file at `path`, called `shown` in messages, must be of `format` (of AddImage, "iso" included), stand alone, and be of
// a size that is accepted. Error(invalid_argument) otherwise.
DiskImageInfo inspect_image(Services& services, const std::string& path, const std::string& format,
                            const std::string& shown);
// How DiskImages calls the format: an ISO is raw to it.
std::string disk_format(const std::string& image_format);

}  // namespace hvagent::operations
