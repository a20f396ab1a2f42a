#include "drivers/qemu_img/vmdk_header.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

namespace hvagent {
namespace {

constexpr Bytes capacity_offset = 12;
constexpr Bytes descriptor_offset = 28;
constexpr Bytes descriptor_size = 36;
constexpr std::uint64_t sector = 512;
constexpr std::uint64_t largest_descriptor = 1 * MiB;

// The value of a line like: parentFileNameHint="base.vmdk"
std::string find_value(const std::string& descriptor, const std::string& key) {
    const std::size_t at = descriptor.find(key);
    if (at == std::string::npos) return {};
    const std::size_t begin = descriptor.find('"', at);
    if (begin == std::string::npos) return "?";
    const std::string value = descriptor.substr(begin + 1, descriptor.find('"', begin + 1) - begin - 1);
    return value.empty() ? "?" : printable(value);
}

}  // namespace

void read_vmdk_header(const HeaderFile& file, DiskImageInfo& info) {
    // A text descriptor lists the files that hold the data. So does the text inside a binary header when the capacity is
    // zero, and QEMU opens what it lists.
    if (!file.has(0, "KDMV") || file.little_endian_64(capacity_offset) == 0) {
        info.has_external_data_file = true;
        return;
    }
    const std::uint64_t offset = file.little_endian_64(descriptor_offset);
    const std::uint64_t size = file.little_endian_64(descriptor_size);
    const auto sectors = static_cast<std::uint64_t>(file.size()) / sector;
    if (offset == 0 || offset > sectors) return;
    // QEMU reads 20 sectors whatever the header says.
    const std::uint64_t length = std::clamp(std::min(size, sectors) * sector, 20 * sector, largest_descriptor);
    const std::string descriptor = file.bytes(static_cast<Bytes>(offset * sector), static_cast<std::size_t>(length));
    info.backing_file = find_value(descriptor, "parentFileNameHint");
}

}  // namespace hvagent
