// ChangeVmImage: another root disk, made from another image.
#include <algorithm>

#include "agent/operations/attachments.h"
#include "agent/operations/clone/handlers.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/disposal.h"
#include "hvagent/error.h"
#include "hvagent/flow.h"

namespace hvagent::operations {
namespace {

// Why a VM cannot have its root disk from this image; empty: it can.
std::string why_not(const Services& services, const Vm& vm, const Image& image) {
    if (image.media_type != MediaType::root_volume_template)
        return "is a " + std::string(to_text(image.media_type)) + ", not a RootVolumeTemplate";
    if (image.state != EnabledState::enabled) return "is Disabled";
    if (image.status != ImageStatus::ready) return "is " + std::string(to_text(image.status)) + ", not Ready";
    if (image.system) return "is a system image";
    if (image.architecture != vm.architecture) return "is for " + image.architecture + ", the VM is " + vm.architecture;
    for (const ImageRef& ref : services.inventory.list<ImageRef>({{"imageUuid", image.uuid.str()}}))
        if (ref.status == ImageStatus::ready &&
            is_attached(services.inventory, backup_storage_to_zone, ref.backup_storage.str(), vm.zone.str()))
            return "";
    return "is on no backup storage of the VM's zone";
}

Image checked_image(Services& services, const ChangeImage& params) {
    const Image image = services.inventory.get<Image>(params.image);
    const std::string reason = why_not(services, services.inventory.get<Vm>(params.vm), image);
    if (!reason.empty())
        throw Error(Code::invalid_argument, "parameter 'imageUuid': the image " + image.name + " " + reason);
    return image;
}

void record_new_root(Services& services, const ChangeImage& params, const Volume& old, const Image& image) {
    if (services.inventory.find<Volume>(params.new_root)) return;  // an earlier life of this job came so far
    Volume root;
    root.uuid = params.new_root;
    root.name = "Root-Volume-For-VM-" + params.vm.str();
    root.primary_storage = old.primary_storage;
    root.disk_offering = old.disk_offering;
    root.root_image = image.uuid;
    root.type = VolumeType::root;
    root.size = std::max(old.size, image.size);
    root.status = VolumeStatus::creating;
    root.throttle = old.throttle;
    services.inventory.transaction([&] {
        services.inventory.insert(root);
        for (const std::string& tag : system_tags_of(services.inventory, old.uuid.str()))
            services.inventory.add_tag("Volume", root.uuid.str(), tag, "System");
    });
}

// Tags that a VM has from its image go with it.
void change_inherited_tags(Services& services, const VmId& vm, const ImageId& from, const ImageId& to) {
    const auto name_of = [](const std::string& tag) { return tag.substr(0, tag.find("::")); };
    for (const std::string& tag : system_tags_of(services.inventory, from.str()))
        if (has_tag(system_tags_of(services.inventory, vm.str()), tag))
            services.inventory.remove_system_tags(vm.str(), name_of(tag));
    for (const std::string& tag : system_tags_of(services.inventory, to.str()))
        if (!services.inventory.system_tag(vm.str(), name_of(tag)))
            services.inventory.add_tag("VmInstance", vm.str(), tag, "System");
}

void change_nic_models(Services& services, const VmId& vm, bool virtio) {
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}}))
        services.inventory.modify<VmNic>(nic.uuid, [&](VmNic& record) { record.driver_type = virtio ? "virtio" : "e1000"; });
}

void swap(Services& services, const ChangeImage& params, const VolumeId& old, const Image& image) {
    services.inventory.transaction([&] {
        const Vm vm = services.inventory.get<Vm>(params.vm);
        services.inventory.modify<Volume>(old, [&](Volume& record) {
            record.vm = VmId();
            record.last_vm = params.vm;
            record.device_id.reset();
            record.status = VolumeStatus::deleted;
            record.last_detached = record.deleted_at = services.clock.now();
        });
        services.inventory.modify<Volume>(params.new_root, [&](Volume& record) {
            record.vm = params.vm;
            record.device_id = 0;
            record.last_attached = services.clock.now();
        });
        change_inherited_tags(services, params.vm, vm.image, image.uuid);
        if (vm.virtio != image.virtio) change_nic_models(services, params.vm, image.virtio);
        services.inventory.modify<Vm>(params.vm, [&](Vm& record) {
            record.root_volume = params.new_root;
            record.image = image.uuid;
            record.platform = image.platform;
            record.guest_os_type = image.guest_os_type;
            record.virtio = image.virtio;
        });
    });
}

}  // namespace

json change_image(Services& services, Job& job, const ChangeImage& params) {
    const VolumeId root = services.inventory.get<Vm>(params.vm).root_volume;
    const auto known = job.recall("old root");
    const VolumeId old = known ? VolumeId(known->get<std::string>()) : root;
    if (!known) job.remember("old root", old.str());
    if (root != params.new_root) {
        if (!job.resumed()) settle_creations(services, root);  // what an earlier life made is the flow's to undo
        const Image image = checked_image(services, params);
        Flow(job)
            .step(
                "make the new root volume",
                [&] {
                    record_new_root(services, params, services.inventory.get<Volume>(old), image);
                    make_volume_file(
                        services, params.new_root, [&](int percent) { job.progress(percent / 3, "fetch the image"); },
                        job.cancellation());
                },
                [&] {
                    const auto made = services.inventory.find<Volume>(params.new_root);
                    if (made && made->vm.empty()) dispose_of(services, *made);
                })
            .step("swap the root volumes", [&] { swap(services, params, old, image); })
            .run();
    }
    // The old one waits for its expiry as every deleted volume does.
    const auto put_aside = services.inventory.find<Volume>(old);
    if (put_aside && services.settings.deletion_policy == "Direct") dispose_of(services, *put_aside);
    services.image_cache.drop_unused();
    return services.inventory.answer("VmInstance", params.vm.str());
}

json get_images_for_vm(Services& services, const api::Call&, const ImageCandidates& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    json found = json::array();
    for (const Image& image : services.inventory.list<Image>())
        if (why_not(services, vm, image).empty()) found.push_back(services.inventory.view("Image", image.uuid.str()));
    return {{"inventories", found}};
}

}  // namespace hvagent::operations
