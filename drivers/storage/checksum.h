// Checksums of files, as images have them.
#pragma once
#include <string>

#include "drivers/files/file_handle.h"
#include "hvagent/cancel.h"

namespace hvagent {

// Lower-case hex, of the whole file. `algorithm` by OpenSSL's name: "MD5", "SHA256". Error(no_capability) where OpenSSL does
// not offer it.
std::string checksum_of(const FileHandle& file, const std::string& path, const char* algorithm, Cancellation& cancel);

}  // namespace hvagent
