#include "agent/operations/image/api.h"

#include "agent/operations/image/handlers.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;

constexpr std::chrono::hours copy_timeout(72);
constexpr const char* actions = "/images/{uuid}/actions";
constexpr const char* actions_of_deleted = "/images/{imageUuid}/actions";

const std::vector<std::string> platforms{"Linux", "Windows", "Other", "Paravirtualization", "WindowsVirtio"};
const std::vector<std::string> architectures{"x86_64", "aarch64", "mips64el", "loongarch64"};

Row add_row(Services& services) {
    return Operation<AddImage>{"AddImage", Method::post, "/images", "Fetch an image into the image store"}
        .required(In::body, "name", &AddImage::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &AddImage::description, "what it is for")
        .max_length(2048)
        .required(In::body, "url", &AddImage::url,
                  "http://, https://, ftp://, sftp:// or file:///; user and password in it are not kept")
        .max_length(1024)
        .secret()
        .optional(In::body, "mediaType", &AddImage::media_type, "what can be made from it")
        .optional(In::body, "guestOsType", &AddImage::guest_os_type, "what runs inside")
        .max_length(255)
        .optional(In::body, "architecture", &AddImage::architecture, "of the guest")
        .values(architectures)
        .optional(In::body, "system", &AddImage::system, "true: no VM of a user is made from it")
        .optional(In::body, "format", &AddImage::format,
                  "of the file at the URL; required unless mediaType is ISO. All but qcow2, raw and iso are stored as qcow2")
        .values({"qcow2", "raw", "iso", "vmdk", "vdi", "vhdx", "vpc"})
        .optional(In::body, "platform", &AddImage::platform, "of the guest")
        .values(platforms)
        .required(In::body, "backupStorageUuids", &AddImage::backup_storages,
                  "where to store it; one that works is a success, the refs of others get status Error")
        .not_empty()
        .optional(In::body, "type", &AddImage::type, "zstack")
        .values({"zstack"})
        .optional(In::body, "virtio", &AddImage::virtio, "false: VMs get emulated devices")
        .new_id(&AddImage::uuid)
        .takes_tags(&AddImage::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Image")
        .fails_as(Code::create_failed)
        .timeout(copy_timeout)
        .job_class(JobClass::copy)
        .runs_as_job(queue_of(&AddImage::uuid), with(services, add_image));
}

// What every operation that makes a template takes.
Operation<MakeTemplate> template_operation(std::string name, std::string path, std::string summary) {
    using P = MakeTemplate;
    Operation<P> operation{std::move(name), Method::post, std::move(path), std::move(summary)};
    operation.required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Image")
        .fails_as(Code::create_failed)
        .timeout(copy_timeout)
        .job_class(JobClass::copy);
    return operation;
}

void add_guest_params(Operation<MakeTemplate>& operation) {
    using P = MakeTemplate;
    operation.optional(In::body, "guestOsType", &P::guest_os_type, "what runs inside; default: the VM's")
        .max_length(255)
        .optional(In::body, "platform", &P::platform, "of the guest; default: the VM's")
        .values(platforms)
        .optional(In::body, "architecture", &P::architecture, "of the guest; default: the VM's")
        .values(architectures)
        .optional(In::body, "system", &P::system, "true: no VM of a user is made from it")
        .optional(In::body, "virtio", &P::virtio, "false: VMs get emulated devices; default: as the VM has it");
}

constexpr const char* storages_or_best = "where to store it; default: the best of GetCandidateBackupStorageForCreatingImage";

Row root_template_row(Services& services) {
    using P = MakeTemplate;
    auto operation = template_operation("CreateRootVolumeTemplateFromRootVolume",
                                        "/images/root-volume-templates/from/volumes/{rootVolumeUuid}",
                                        "Copy a VM's root volume into an image, also while the VM runs");
    operation.required(In::url, "rootVolumeUuid", &P::volume, "the root volume")
        .optional(In::body, "backupStorageUuids", &P::backup_storages, storages_or_best);
    add_guest_params(operation);
    return operation.runs_as_job([&services](const P& params) { return template_queues(services, params); },
                                 with(services, make_root_template));
}

Row snapshot_template_row(Services& services) {
    using P = MakeTemplate;
    auto operation = template_operation("CreateRootVolumeTemplateFromVolumeSnapshot",
                                        "/images/root-volume-templates/from/volume-snapshots/{snapshotUuid}",
                                        "Copy a snapshot of a root volume into an image");
    operation.required(In::url, "snapshotUuid", &P::snapshot, "the snapshot")
        .required(In::body, "backupStorageUuids", &P::backup_storages, "where to store it; one that works is a success")
        .not_empty();
    add_guest_params(operation);
    operation.returns_value("failures", {{"type", "array"}, {"items", {{"type", "object"}}}});
    return operation.runs_as_job([&services](const P& params) { return template_queues(services, params); },
                                 with(services, make_template_from_snapshot));
}

Row data_template_row(Services& services) {
    using P = MakeTemplate;
    auto operation =
        template_operation("CreateDataVolumeTemplateFromVolume", "/images/data-volume-templates/from/volumes/{volumeUuid}",
                           "Copy a volume into an image that data volumes are made from, also while its VM runs");
    operation.required(In::url, "volumeUuid", &P::volume, "the volume")
        .optional(In::body, "backupStorageUuids", &P::backup_storages, storages_or_best);
    return operation.runs_as_job([&services](const P& params) { return template_queues(services, params); },
                                 with(services, make_data_template));
}

Row delete_row(Services& services) {
    using P = DeleteImage;
    return Operation<P>{"DeleteImage", Method::del, "/images/{uuid}",
                        "Put an image aside until it is recovered or expunged; VMs made from it are not touched"}
        .required(In::url, "uuid", &P::image, "the image; one that is not there is a success")
        .optional(In::query, "backupStorageUuids", &P::backup_storages, "on these backup storages only; default: on all")
        .elements_not_empty()
        .optional(In::query, "deleteMode", &P::mode,
                  "Enforcing goes on when an ISO cannot be taken out of a VM's drive, Permissive does not")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job([&services](const P& params) { return image_and_drive_queues(services, params.image); },
                     with(services, delete_image));
}

Row recover_row(Services& services) {
    using P = DeletedImage;
    return Operation<P>{"RecoverImage", Method::put, actions_of_deleted, "Bring a deleted image back"}
        .action("recoverImage")
        .required(In::url, "imageUuid", &P::image, "the image")
        .optional(In::body, "backupStorageUuids", &P::backup_storages, "on these backup storages only; default: on all")
        .elements_not_empty()
        .returns("inventory", "Image")
        .runs_as_job(queue_of(&P::image), with(services, recover_image));
}

Row expunge_row(Services& services) {
    using P = DeletedImage;
    return Operation<P>{"ExpungeImage", Method::put, actions_of_deleted,
                        "Remove the files of a deleted image, and its record when none is left"}
        .action("expungeImage", {"expungelImage"})
        .required(In::url, "imageUuid", &P::image, "the image")
        .optional(In::body, "uuid", &P::same, "the image once more")
        .optional(In::body, "backupStorageUuids", &P::backup_storages, "on these backup storages only; default: on all")
        .elements_not_empty()
        .timeout(std::chrono::hours(3))
        .runs_as_job(queue_of(&P::image), with(services, expunge_image));
}

Row change_state_row(Services& services) {
    using P = ChangeImageState;
    return Operation<P>{"ChangeImageState", Method::put, actions,
                        "Allow or forbid that VMs and volumes are made from an image"}
        .action("changeImageState", {"changelmageState"})
        .required(In::url, "uuid", &P::image, "the image")
        .required(In::body, "stateEvent", &P::event, "what to do")
        .returns("inventory", "Image")
        .runs_as_job(queue_of(&P::image), with(services, change_image_state));
}

Row update_row(Services& services) {
    using P = UpdateImage;
    return Operation<P>{"UpdateImage", Method::put, actions, "Change what is said about an image"}
        .action("updateImage")
        .required(In::url, "uuid", &P::image, "the image")
        .optional(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "guestOsType", &P::guest_os_type, "what runs inside")
        .max_length(255)
        .optional(In::body, "mediaType", &P::media_type, "what can be made from it; ISO goes with format iso")
        .optional(In::body, "format", &P::format, "of the stored file; refused when the file has another")
        .values({"raw", "qcow2", "iso"})
        .optional(In::body, "system", &P::system, "true: no VM of a user is made from it")
        .optional(In::body, "platform", &P::platform, "of the guest")
        .values(platforms)
        .optional(In::body, "architecture", &P::architecture, "of the guest")
        .values(architectures)
        .optional(In::body, "virtio", &P::virtio, "false: VMs get emulated devices")
        .returns("inventory", "Image")
        .runs_as_job(queue_of(&P::image), with(services, update_image));
}

Row sync_size_row(Services& services) {
    using P = OnImage;
    return Operation<P>{"SyncImageSize", Method::put, actions, "Read the sizes of an image from its file again"}
        .action("syncImageSize")
        .required(In::url, "uuid", &P::image, "the image")
        .returns("inventory", "Image")
        .runs_as_job(queue_of(&P::image), with(services, sync_image_size));
}

Row get_qga_row(Services& services) {
    using P = OnImage;
    return Operation<P>{"GetImageQga", Method::get, "/images/{uuid}/qga", "Whether an image has the guest agent"}
        .required(In::url, "uuid", &P::image, "the image")
        .returns_value("enable", {{"type", "boolean"}})
        .returns_value("uuid", {{"type", "string"}})
        .answers(with(services, get_image_qga));
}

Row set_qga_row(Services& services) {
    using P = SetImageQga;
    return Operation<P>{"SetImageQga", Method::put, actions,
                        "Say whether an image has the guest agent; its VMs inherit that"}
        .action("setImageQga")
        .required(In::url, "uuid", &P::image, "the image")
        .required(In::body, "enable", &P::enable, "true: it has (system tag qemuga)")
        .runs_as_job(queue_of(&P::image), with(services, set_image_qga));
}

Row candidates_row(Services& services) {
    using P = StorageCandidates;
    return Operation<P>{"GetCandidateBackupStorageForCreatingImage", Method::get, "/images/candidate-backup-storage",
                        "Backup storages that a template of a volume or snapshot can be stored on"}
        .also_at("/images/volumes/{volumeUuid}/candidate-backup-storage")
        .also_at("/images/volume-snapshots/{volumeSnapshotUuid}/candidate-backup-storage")
        .optional(In::query, "volumeUuid", &P::volume, "the volume; wins over the snapshot")
        .optional(In::query, "volumeSnapshotUuid", &P::snapshot, "the snapshot")
        .returns_list("inventories", "BackupStorage")
        .answers(with(services, get_storage_candidates));
}

}  // namespace

api::Table image_api(Services& services) {
    return {
        add_row(services),
        delete_row(services),
        recover_row(services),
        expunge_row(services),
        query_row(services, "QueryImage", "Image", "/images", "List images"),
        change_state_row(services),
        update_row(services),
        sync_size_row(services),
        root_template_row(services),
        snapshot_template_row(services),
        data_template_row(services),
        get_qga_row(services),
        set_qga_row(services),
        candidates_row(services),
    };
}

}  // namespace hvagent::operations
