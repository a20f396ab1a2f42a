// Numbers and texts out of the head of an image that nobody has judged yet.
#pragma once
#include <cstdint>
#include <string>

#include "drivers/files/file_handle.h"
#include "hvagent/units.h"

namespace hvagent {

// Reading past the end gives zeros: a header that is cut off fails the checks of its format.
class HeaderFile {
public:
    // A regular file, or Error(operation_failed); Error(io_failed) when it cannot be opened.
    explicit HeaderFile(std::string path);

    const std::string& path() const { return path_; }
    Bytes size() const { return size_; }  // when it was opened
    Bytes size_now() const;
    Bytes allocated() const { return allocated_; }

    std::string bytes(Bytes offset, std::size_t count) const;
    bool has(Bytes offset, std::string_view magic) const { return bytes(offset, magic.size()) == magic; }
    std::uint32_t big_endian_32(Bytes offset) const { return static_cast<std::uint32_t>(big_endian(offset, 4)); }
    std::uint64_t big_endian_64(Bytes offset) const { return big_endian(offset, 8); }
    std::uint64_t little_endian_64(Bytes offset) const;

private:
    std::uint64_t big_endian(Bytes offset, std::size_t count) const;

    std::string path_;
    FileHandle file_;
    Bytes size_ = 0;
    Bytes allocated_ = 0;
};

// A text from an image as it may be shown: anything but printable ASCII becomes '?'.
std::string printable(std::string text);

}  // namespace hvagent
