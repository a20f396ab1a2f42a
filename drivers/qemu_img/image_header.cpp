#include "drivers/qemu_img/image_header.h"

#include "drivers/qemu_img/qcow2_header.h"
#include "drivers/qemu_img/vmdk_header.h"
#include "hvagent/error.h"

namespace hvagent {
namespace {

using namespace std::string_view_literals;

constexpr auto qcow_magic = "QFI\xfb"sv;
constexpr auto vmdk_magic = "KDMV"sv;
constexpr auto vmdk_text_magic = "# Disk DescriptorFile"sv;
constexpr auto vdi_magic = "\x7f\x10\xda\xbe"sv;
constexpr Bytes vdi_magic_offset = 64;
constexpr auto vhdx_magic = "vhdxfile"sv;
constexpr auto vpc_magic = "conectix"sv;
constexpr Bytes vpc_footer_size = 512;
constexpr auto luks_magic = "LUKS\xba\xbe"sv;
constexpr auto qed_magic = "QED\0"sv;

constexpr std::string_view accepted_formats = "qcow2, raw, vmdk, vdi, vhdx or vpc";
constexpr Bytes sector = 512;

}  // namespace

std::string detect_format(const HeaderFile& file) {
    if (file.has(0, qcow_magic)) return file.big_endian_32(4) == 1 ? "qcow" : "qcow2";
    if (file.has(0, vmdk_magic) || file.has(0, vmdk_text_magic)) return "vmdk";
    if (file.has(vdi_magic_offset, vdi_magic)) return "vdi";
    if (file.has(0, vhdx_magic)) return "vhdx";
    if (file.has(0, luks_magic)) return "luks";
    if (file.has(0, qed_magic)) return "qed";
    // A fixed-size one has its magic at the end only, after data that may look like anything.
    if (file.has(0, vpc_magic) || (file.size() >= vpc_footer_size && file.has(file.size() - vpc_footer_size, vpc_magic))) {
        return "vpc";
    }
    return "raw";
}

DiskImageInfo read_header(const HeaderFile& file, const std::string& format) {
    DiskImageInfo info;
    info.format = format;
    info.actual_size = file.allocated();
    // What a guest has written into a raw disk means nothing.
    if (format == "raw") {
        info.virtual_size = (file.size() + sector - 1) / sector * sector;
        return info;
    }
    const std::string found = detect_format(file);
    if (found != format) {
        throw Error(Code::operation_failed, file.path() + " is not a " + printable(format) + " image but " + found);
    }
    if (format == "qcow2") {
        read_qcow2_header(file, info);
    } else if (format == "vmdk") {
        read_vmdk_header(file, info);
    } else if (format == "luks") {
        info.is_encrypted = true;
        info.virtual_size = file.size();
    } else if (format != "vdi" && format != "vhdx" && format != "vpc") {
        throw Error(Code::operation_failed, file.path() + " is a " + format + " image, which is not accepted; expected " +
                                                std::string(accepted_formats));
    }
    return info;
}

}  // namespace hvagent
