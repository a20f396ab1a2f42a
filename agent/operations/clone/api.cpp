#include "agent/operations/clone/api.h"

#include "agent/operations/clone/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;
using std::chrono::hours;
using enum VmState;

constexpr const char* actions = "/vm-instances/{vmInstanceUuid}/actions";

template <class P>
api::QueueOf<P> vm_and_volumes(Services& services) {
    return [&services](const P& params) { return vm_and_volume_queues(services, params.vm); };
}

Row reimage_row(Services& services) {
    // Each of its errors has a code of its own, a wrong state too, so none wraps them.
    return Operation<ReimageVm>{"ReimageVmInstance", Method::put, actions,
                                "Bring the root volume of a Stopped VM back to what its image holds. What was written since "
                                "is lost; snapshots stay"}
        .action("reimageVmInstance")
        .required(In::url, "vmInstanceUuid", &ReimageVm::vm, "the VM; its image is no ISO and still there")
        .returns("inventory", "VmInstance")
        .job_class(JobClass::copy)
        .runs_as_job(vm_and_volumes<ReimageVm>(services), with(services, reimage_vm));
}

Row change_image_row(Services& services) {
    return Operation<ChangeImage>{"ChangeVmImage", Method::put, actions,
                                  "Give a VM a new root volume made from another image. The old one is deleted as data "
                                  "volumes are: it is expunged when its time is over"}
        .action("changeVmImage", {"changeVmlImage"})
        .required(In::url, "vmInstanceUuid", &ChangeImage::vm, "the VM")
        .required(In::body, "imageUuid", &ChangeImage::image, "a RootVolumeTemplate, Enabled and Ready")
        .new_id(&ChangeImage::new_root)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "VmInstance")
        .allowed_in({stopped}, Code::operation_failed)
        .job_class(JobClass::copy)
        .runs_as_job(vm_and_volumes<ChangeImage>(services), with(services, change_image));
}

Row image_candidates_row(Services& services) {
    return Operation<ImageCandidates>{"GetImageCandidatesForVmToChange", Method::get,
                                      "/vm-instances/{vmInstanceUuid}/image-candidates",
                                      "Images that a VM's root volume could be made from"}
        .required(In::url, "vmInstanceUuid", &ImageCandidates::vm, "the VM")
        .returns_list("inventories", "Image")
        .answers(with(services, get_images_for_vm));
}

Row clone_row(Services& services) {
    return Operation<CloneVm>{"CloneVmInstance", Method::put, actions,
                              "Make VMs like this one from copies of its disks as they are at one moment, with ids, MAC and "
                              "IP addresses of their own, empty CD-ROM drives and no host name tag. Volumes shared by "
                              "several VMs are left out. What went wrong with a clone is told in its place"}
        .action("cloneVmInstance")
        .required(In::url, "vmInstanceUuid", &CloneVm::vm, "the VM")
        .required(In::body, "names", &CloneVm::names, "one clone each")
        .not_empty()
        .optional(In::body, "strategy", &CloneVm::strategy, "JustCreate and CreateStopped copy the disks, but start nothing")
        .optional(In::body, "full", &CloneVm::full, "true: with the data volumes")
        .optional(In::body, "primaryStorageUuidForRootVolume", &CloneVm::root_storage, "default: where the source's lies")
        .optional(In::body, "primaryStorageUuidForDataVolume", &CloneVm::data_storage, "default: where the source's lie")
        .optional(In::body, "rootVolumeSystemTags", &CloneVm::root_volume_tags, "beside those of the source's volume")
        .optional(In::body, "dataVolumeSystemTags", &CloneVm::data_volume_tags, "beside those of the source's volumes")
        .optional(In::body, "clusterUuid", &CloneVm::cluster, "where to make them")
        .optional(In::body, "hostUuid", &CloneVm::host, "where to make them")
        .takes_tags(&CloneVm::tags)
        .refuses("vmNicParams", "a clone has NICs in the networks of its source; change them afterwards")
        .returns("result", "CloneVmInstanceResults")
        .allowed_in({running, stopped, paused}, Code::operation_failed)
        .timeout(hours(12))
        .job_class(JobClass::copy)
        .runs_as_job(vm_and_volumes<CloneVm>(services), with(services, clone_vm));
}

}  // namespace

api::Table clone_api(Services& services) {
    return {reimage_row(services), change_image_row(services), image_candidates_row(services), clone_row(services)};
}

std::vector<api::ResourceShape> clone_shapes() {
    using api::FieldType;
    return {{"CloneVmInstanceResults",
             "org.zstack.header.vm.CloneVmInstanceResults",
             "",
             {{"numberOfClonedVm", FieldType::integer, {}, false, true, "clones that were made"}},
             {{"inventories", "CloneVmInstanceInventory", true}},
             {},
             {}},
            {"CloneVmInstanceInventory",
             "org.zstack.header.vm.CloneVmInstanceInventory",
             "",
             {},
             {{"inventory", "VmInstance", false}, {"error", "ErrorCode", false}},
             {},
             {}}};
}

}  // namespace hvagent::operations
