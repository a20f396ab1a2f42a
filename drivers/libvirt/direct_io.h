// Whether files can be opened past the page cache.
#pragma once
#include <string>

namespace hvagent::libvirt {

// Tries the file, or its directory while there is no such file. False where it cannot be found out: QEMU starts without
// O_DIRECT everywhere.
bool allows_direct_io(const std::string& path);

}  // namespace hvagent::libvirt
