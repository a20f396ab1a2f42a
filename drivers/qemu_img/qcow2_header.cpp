#include "drivers/qemu_img/qcow2_header.h"

#include <algorithm>
#include <limits>

#include "hvagent/error.h"

namespace hvagent {

Bytes qcow2_cluster_size(const HeaderFile& file) {
    const std::uint32_t bits = file.big_endian_32(20);
    if (bits < 9 || bits > 21) throw Error(Code::operation_failed, file.path() + " has no usable cluster size");
    return Bytes{1} << bits;
}

namespace {

constexpr std::uint64_t external_data_file_bit = 1ULL << 2;
constexpr std::uint64_t table_offset_mask = 0x00fffffffffffe00ULL;
constexpr std::uint32_t backing_format_extension = 0xe2792aca;
constexpr std::uint32_t end_of_extensions = 0;
// QEMU's own limits.
constexpr std::uint32_t longest_backing_name = 1023;
constexpr std::uint32_t longest_backing_format = 15;
constexpr std::uint64_t largest_l1_table = 32 * MiB;

[[noreturn]] void refuse(const HeaderFile& file, const std::string& why) {
    throw Error(Code::operation_failed, file.path() + " is not a usable qcow2 image: " + why);
}

struct Geometry {
    std::uint64_t cluster_size = 0;
    std::uint64_t l1_entries = 0;
    std::uint64_t l1_offset = 0;
};

// The L1 table, and each L2 table it names, must lie within the file: they are spread over the whole of it, so that a
// download cut off anywhere misses one.
void check_tables(const HeaderFile& file, const Geometry& geometry) {
    const auto size = static_cast<std::uint64_t>(file.size());
    const std::uint64_t l1_bytes = geometry.l1_entries * 8;
    if (l1_bytes > largest_l1_table) refuse(file, "its L1 table is too large");
    if (geometry.l1_offset > size || l1_bytes > size - geometry.l1_offset) refuse(file, "it is cut off");
    const std::string table = file.bytes(static_cast<Bytes>(geometry.l1_offset), l1_bytes);
    for (std::size_t at = 0; at + 8 <= table.size(); at += 8) {
        std::uint64_t entry = 0;
        for (std::size_t i = 0; i < 8; ++i) entry = entry << 8 | static_cast<unsigned char>(table[at + i]);
        const std::uint64_t l2_offset = entry & table_offset_mask;
        if (l2_offset == 0 || l2_offset + geometry.cluster_size <= size) continue;
        // A QEMU that has it open may have made it longer meanwhile.
        if (l2_offset + geometry.cluster_size > static_cast<std::uint64_t>(file.size_now())) refuse(file, "it is cut off");
    }
}

// Raw bytes, which may be anything.
std::string read_backing_name(const HeaderFile& file) {
    const std::uint64_t offset = file.big_endian_64(8);
    const std::uint32_t length = file.big_endian_32(16);
    if (offset == 0) return {};
    if (length > longest_backing_name || offset > static_cast<std::uint64_t>(file.size())) {
        refuse(file, "the name of its backing file is damaged");
    }
    std::string name = file.bytes(static_cast<Bytes>(offset), length);
    // Empty would mean "none" to our callers.
    return name.empty() ? "?" : name;
}

// Extensions follow the header: type, length and data, padded to 8 bytes.
std::string read_backing_format(const HeaderFile& file) {
    const bool is_version_2 = file.big_endian_32(4) == 2;
    Bytes at = is_version_2 ? 72 : file.big_endian_32(100);
    const Bytes end = std::min(qcow2_cluster_size(file), file.size());
    while (at + 8 <= end) {
        const std::uint32_t type = file.big_endian_32(at);
        const std::uint32_t length = file.big_endian_32(at + 4);
        if (type == end_of_extensions) break;
        if (type == backing_format_extension) {
            if (length > longest_backing_format) refuse(file, "the format of its backing file is damaged");
            return file.bytes(at + 8, length);
        }
        at += 8 + (Bytes{length} + 7) / 8 * 8;
    }
    return {};
}

}  // namespace

void read_qcow2_header(const HeaderFile& file, DiskImageInfo& info) {
    const std::uint32_t version = file.big_endian_32(4);
    if (version != 2 && version != 3) refuse(file, "unknown version " + std::to_string(version));
    const std::uint32_t cluster_bits = file.big_endian_32(20);
    if (cluster_bits < 9 || cluster_bits > 21) refuse(file, "its cluster size is out of range");
    const std::uint64_t size = file.big_endian_64(24);
    if (size > static_cast<std::uint64_t>(std::numeric_limits<Bytes>::max())) refuse(file, "its size is out of range");

    info.virtual_size = static_cast<Bytes>(size);
    info.backing_file = printable(read_backing_name(file));
    info.is_encrypted = file.big_endian_32(32) != 0;
    const std::uint64_t incompatible_features = version == 3 ? file.big_endian_64(72) : 0;
    info.has_external_data_file = (incompatible_features & external_data_file_bit) != 0;

    const Geometry geometry{std::uint64_t{1} << cluster_bits, file.big_endian_32(36), file.big_endian_64(40)};
    check_tables(file, geometry);
}

Backing read_qcow2_backing(const HeaderFile& file) {
    Backing backing{read_backing_name(file), {}};
    if (!backing.path.empty()) backing.format = read_backing_format(file);
    return backing;
}

}  // namespace hvagent
