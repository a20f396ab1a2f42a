// The checksum that the wire contract shows for images. Not for security.
#pragma once
#include <string>

#include "drivers/files/file_handle.h"
#include "hvagent/cancel.h"

namespace hvagent {

// Lower-case hex, of the whole file.
std::string md5_of(const FileHandle& file, const std::string& path, Cancellation& cancel);

}  // namespace hvagent
