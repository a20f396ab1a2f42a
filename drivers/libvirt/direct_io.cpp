#include "drivers/libvirt/direct_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace hvagent::libvirt {
namespace {

// Opening for reading takes no lock and does not disturb a QEMU that has the file open.
bool opens(const std::string& path, int flags) {
    const int fd = open(path.c_str(), flags | O_DIRECT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

}  // namespace

bool allows_direct_io(const std::string& path) {
    if (opens(path, O_RDONLY)) return true;
    if (errno != ENOENT && errno != EACCES) return false;
    const std::string directory = path.substr(0, path.rfind('/') + 1);
    return opens(directory, O_RDWR | O_TMPFILE);
}

}  // namespace hvagent::libvirt
