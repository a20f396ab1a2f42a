#include "agent/operations/image/inspection.h"

#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

bool is_called_right(const std::string& format, const std::string& found) {
    return format == "iso" ? found == "iso" || found == "raw" : found == format;
}

}  // namespace

std::string disk_format(const std::string& image_format) {
    return image_format == "iso" ? "raw" : image_format;
}

DiskImageInfo inspect_image(Services& services, const std::string& path, const std::string& format,
                            const std::string& shown) {
    const std::string found = services.disk_images.inspect(path, "").format;
    if (!is_called_right(format, found)) refuse("parameter 'format' says " + format + ", but " + shown + " is " + found);
    const DiskImageInfo info = services.disk_images.inspect(path, disk_format(format));
    if (!info.backing_file.empty())
        refuse("the image " + shown + " has a backing file; only images that stand alone are accepted");
    if (info.has_external_data_file)
        refuse("the image " + shown + " keeps its data in another file; only images that stand alone are accepted");
    if (info.is_encrypted) refuse("the image " + shown + " is encrypted");
    if (info.virtual_size <= 0) refuse("the image " + shown + " is empty");
    if (info.virtual_size > services.settings.image_max_size)
        refuse("the image " + shown + " has a virtual size of " + human_size(info.virtual_size) + "; at most " +
               human_size(services.settings.image_max_size) + " are accepted");
    return info;
}

}  // namespace hvagent::operations
