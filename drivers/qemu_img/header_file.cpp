#include "drivers/qemu_img/header_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hvagent {

HeaderFile::HeaderFile(std::string path) : path_(std::move(path)) {
    // A pipe would keep us waiting for a writer.
    file_ = FileHandle(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file_) throw file_error("cannot open " + path_, errno);
    struct stat found {};
    if (::fstat(file_.get(), &found) != 0) throw file_error("cannot look at " + path_, errno);
    if (!S_ISREG(found.st_mode)) throw Error(Code::operation_failed, path_ + " is not a regular file");
    size_ = found.st_size;
    allocated_ = found.st_blocks * 512;
}

Bytes HeaderFile::size_now() const {
    struct stat found {};
    if (::fstat(file_.get(), &found) != 0) throw file_error("cannot look at " + path_, errno);
    return found.st_size;
}

std::string HeaderFile::bytes(Bytes offset, std::size_t count) const {
    std::string result(count, '\0');
    for (std::size_t done = 0; done < count;) {
        const ssize_t got = ::pread(file_.get(), result.data() + done, count - done, offset + static_cast<Bytes>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != EINVAL) throw file_error("cannot read " + path_, errno);
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return result;
}

std::uint64_t HeaderFile::big_endian(Bytes offset, std::size_t count) const {
    std::uint64_t value = 0;
    for (const char byte : bytes(offset, count)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

std::uint64_t HeaderFile::little_endian_64(Bytes offset) const {
    std::string text = bytes(offset, 8);
    std::reverse(text.begin(), text.end());
    std::uint64_t value = 0;
    for (const char byte : text) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return text;
}

}  // namespace hvagent
