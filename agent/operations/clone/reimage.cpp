// ReimageVmInstance: the root disk as the image was; its snapshots stay.
#include <algorithm>

#include "agent/operations/clone/handlers.h"
#include "agent/operations/flatten/replace_layer.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

void require_stopped(Services& services, const Vm& vm) {
    services.states.wait_connected(services.settings.libvirt_wait);
    const VmState state = services.inventory.get<Vm>(vm.uuid).state();
    if (state == VmState::stopped) return;
    throw Error(Code::reimage_not_stopped, "the VM " + vm.name + " cannot be reimaged now",
                Error(Code::vm_wrong_state, "the VM " + vm.uuid.str() + " is " + std::string(to_text(state)) +
                                                ", and ReimageVmInstance is allowed in Stopped only"));
}

Image template_of(Services& services, const Vm& vm, const Volume& root) {
    if (const auto origin = services.inventory.find<Image>(vm.image); origin && origin->media_type == MediaType::iso)
        throw Error(Code::reimage_from_iso, "the VM " + vm.name + " was made from the ISO " + origin->name +
                                                ", so there is no template of its root disk");
    if (root.root_image.empty())
        throw Error(Code::reimage_without_template, "the root disk of the VM " + vm.name + " was not made from an image");
    if (const auto image = services.inventory.find<Image>(root.root_image)) return *image;
    throw Error(Code::reimage_without_template,
                "the image " + root.root_image.str() + " of the VM " + vm.name + " is expunged");
}

std::string fetch_template(Services& services, Job& job, const Image& image, const Volume& root) {
    const PrimaryStorage storage = services.inventory.get<PrimaryStorage>(root.primary_storage);
    try {
        return services.image_cache.fetch(
            image, storage, [&](int percent) { job.progress(percent * 9 / 10, "fetch the image"); }, job.cancellation());
    } catch (const Error& error) {
        if (error.code() != Code::operation_failed) throw;
        throw Error(Code::reimage_without_template, "the image " + image.name + " is not available", error);
    }
}

}  // namespace

json reimage_vm(Services& services, Job& job, const ReimageVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    if (!job.resumed()) require_stopped(services, vm);
    if (!finish_replacing(services, job, vm.root_volume)) {
        settle_creations(services, vm.root_volume);
        const Volume root = services.inventory.get<Volume>(vm.root_volume);
        const Image image = template_of(services, vm, root);
        if (access_of(services, vm) != DiskAccess::offline)
            throw Error(Code::reimage_not_stopped, "the VM " + vm.name + " runs");
        const std::string backing = fetch_template(services, job, image, root);
        replace_layer(services, job, root, [&](const std::string& path) {
            // A disk that has grown since keeps its size.
            services.disk_images.create_overlay(path, backing, image.format, std::max(root.size, image.size));
        });
    }
    return services.inventory.answer("VmInstance", params.vm.str());
}

}  // namespace hvagent::operations
