// Heads of images from outside, in every format that is accepted.
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/qemu_img/image_header.h"
#include "drivers/qemu_img/qcow2_header.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;

namespace {

// A file in memory, made once.
std::string file_with(const std::uint8_t* data, std::size_t size) {
    static const int file = ::memfd_create("image", MFD_CLOEXEC);
    if (file < 0 || ::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
    return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const HeaderFile file(file_with(data, size));
    const std::string format = detect_format(file);
    judge([&] {
        const DiskImageInfo info = read_header(file, format);
        if (info.virtual_size < 0) std::abort();
    });
    if (format == "qcow2") {
        judge([&] { read_qcow2_backing(file); });
        judge([&] { qcow2_cluster_size(file); });
    }
    return 0;
}
