#include "drivers/libvirt/storage_room.h"

#include <sys/statvfs.h>

#include "hvagent/units.h"

namespace hvagent::libvirt {
namespace {

// QEMU asks for clusters of 64 KiB, and the file system for metadata of its own.
constexpr Bytes as_good_as_full = 1 * MiB;

}  // namespace

Code code_of_failed_write(const std::string& path) {
    struct statvfs found {};
    if (::statvfs(path.c_str(), &found) != 0) return Code::io_failed;
    const Bytes available = static_cast<Bytes>(found.f_bavail) * static_cast<Bytes>(found.f_frsize);
    return available < as_good_as_full ? Code::storage_allocate : Code::io_failed;
}

}  // namespace hvagent::libvirt
