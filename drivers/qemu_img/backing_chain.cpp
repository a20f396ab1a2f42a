#include "drivers/qemu_img/backing_chain.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "drivers/qemu_img/image_header.h"
#include "drivers/qemu_img/qcow2_header.h"
#include "hvagent/error.h"

namespace hvagent {
namespace {

constexpr std::size_t most_layers = 200;  // libvirt's limit

// What QEMU takes for a file and nothing else, and what names one file in one way.
bool is_plain(const std::string& path) {
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) return false;
    const std::string closed = path + "/";
    return closed.find("/../") == std::string::npos && closed.find("/./") == std::string::npos;
}

[[noreturn]] void refuse(const std::string& top, const std::string& why) {
    throw Error(Code::operation_failed, "the layers of " + printable(top) + " cannot be followed: " + printable(why));
}

HeaderFile open_layer(const std::string& top, const std::string& path, const std::string& above) {
    if (above.empty() || ::access(path.c_str(), F_OK) == 0 || errno != ENOENT) return HeaderFile(path);
    refuse(top, path + ", which " + above + " lies on, is missing");
}

}  // namespace

std::vector<DiskLayer> read_backing_chain(const std::string& top) {
    std::vector<DiskLayer> layers;
    std::string above;
    Backing next{top, "qcow2"};
    while (!next.path.empty()) {
        const auto is_next = [&](const DiskLayer& layer) { return layer.path == next.path; };
        if (std::any_of(layers.begin(), layers.end(), is_next)) refuse(top, next.path + " lies on itself");
        if (layers.size() == most_layers) refuse(top, "there are more than " + std::to_string(most_layers));
        const HeaderFile file = open_layer(top, next.path, above);
        const DiskImageInfo info = read_header(file, next.format);
        if (info.has_external_data_file) refuse(top, next.path + " keeps its data in another file");
        if (info.is_encrypted) refuse(top, next.path + " is encrypted");
        layers.push_back({next.path, next.format, info.virtual_size, info.actual_size});
        above = next.path;
        next = next.format == "qcow2" ? read_qcow2_backing(file) : Backing{};
        if (next.path.empty()) break;
        if (!is_plain(next.path)) refuse(top, above + " lies on " + printable(next.path) + ", which is no plain path");
        if (next.format.empty()) refuse(top, above + " does not say what format " + next.path + " has");
        if (next.format != "qcow2" && next.format != "raw")
            refuse(top, above + " lies on an image of format " + printable(next.format) + "; expected qcow2 or raw");
    }
    return layers;
}

}  // namespace hvagent
