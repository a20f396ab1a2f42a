// What is said about an image, and what its file says.
#include "agent/operations/image/handlers.h"
#include "agent/operations/image/inspection.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr const char* qga_tag = "qemuga";

ImageRef stored_ref(Services& services, const Image& image) {
    std::string missing = "it is Ready on no backup storage";
    for (const ImageRef& ref : services.inventory.list<ImageRef>({{"imageUuid", image.uuid.str()}})) {
        if (ref.status != ImageStatus::ready) continue;
        if (services.files.exists(ref.install_path)) return ref;
        missing = "its file " + ref.install_path + " is gone";
    }
    throw Error(Code::operation_failed, "the image " + image.name + " cannot be looked at: " + missing);
}

// QEMU believes what is recorded here: a raw disk that is called qcow2 would let a guest name files of the host.
void check_format(Services& services, const Image& before, const Image& after) {
    if (after.format == before.format && after.media_type == before.media_type) return;
    if ((after.media_type == MediaType::iso) != (after.format == "iso"))
        throw Error(Code::invalid_argument, "parameters 'mediaType' and 'format' do not go together: " +
                                                std::string(to_text(after.media_type)) + " and " + after.format);
    if (after.format != before.format)
        inspect_image(services, stored_ref(services, before).install_path, after.format, "the image " + before.name);
}

}  // namespace

json change_image_state(Services& services, Job&, const ChangeImageState& params) {
    services.inventory.modify<Image>(params.image, [&](Image& record) { record.state = state_after(params.event); });
    return services.inventory.answer("Image", params.image.str());
}

json update_image(Services& services, Job&, const UpdateImage& params) {
    const auto change = [&](Image& image) {
        const auto set = [](auto& member, const auto& wanted) {
            if (wanted) member = *wanted;
        };
        set(image.name, params.name);
        set(image.description, params.description);
        set(image.guest_os_type, params.guest_os_type);
        set(image.media_type, params.media_type);
        set(image.format, params.format);
        set(image.system, params.system);
        set(image.platform, params.platform);
        set(image.architecture, params.architecture);
        set(image.virtio, params.virtio);
    };
    const Image before = services.inventory.get<Image>(params.image);
    Image after = before;
    change(after);
    check_format(services, before, after);
    if (after.system && after.media_type == MediaType::iso)
        throw Error(Code::invalid_argument, "parameter 'system': an ISO cannot be a system image");
    services.inventory.modify<Image>(params.image, change);
    return services.inventory.answer("Image", params.image.str());
}

json sync_image_size(Services& services, Job&, const OnImage& params) {
    const Image image = services.inventory.get<Image>(params.image);
    const std::string path = stored_ref(services, image).install_path;
    const DiskImageInfo info = services.disk_images.inspect(path, disk_format(image.format));
    services.inventory.modify<Image>(params.image, [&](Image& record) {
        record.size = info.virtual_size;
        record.actual_size = info.actual_size;
    });
    return services.inventory.answer("Image", params.image.str());
}

json set_image_qga(Services& services, Job&, const SetImageQga& params) {
    services.inventory.transaction([&] {
        services.inventory.remove_system_tags(params.image.str(), qga_tag);
        if (params.enable) services.inventory.add_tag("Image", params.image.str(), qga_tag, "System");
    });
    return json::object();
}

json get_image_qga(Services& services, const api::Call&, const OnImage& params) {
    const bool enabled = services.inventory.system_tag(params.image.str(), qga_tag).has_value();
    return {{"enable", enabled}, {"uuid", params.image.str()}};
}

}  // namespace hvagent::operations
