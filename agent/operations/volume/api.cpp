#include "agent/operations/volume/api.h"

#include "agent/api/operation.h"
#include "agent/operations/rows.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;
using std::chrono::hours;

constexpr const char* actions = "/volumes/{uuid}/actions";
constexpr const char* throttle_path = "/volumes/{uuid}/qos";

template <class P>
api::QueueOf<P> queues_of_volume(Services& services) {
    return [&services](const P& params) { return volume_queues(services, params.volume); };
}

template <class P>
Operation<P> creation(const char* name, const char* path, const char* summary) {
    return Operation<P>{name, Method::post, path, summary}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed);
}

Row create_row(Services& services) {
    using P = CreateDataVolume;
    return creation<P>("CreateDataVolume", "/volumes/data", "Make an empty data volume")
        .optional(In::body, "diskOfferingUuid", &P::offering, "its size; or give diskSize")
        .optional(In::body, "diskSize", &P::size, "bytes; read when there is no diskOfferingUuid")
        .range(0)
        .optional(In::body, "primaryStorageUuid", &P::storage,
                  "where to make it now; without it the volume gets its file when it is first attached")
        .timeout(hours(3))
        .runs_as_job(queue_of(&P::uuid), with(services, create_data_volume));
}

Row create_from_template_row(Services& services) {
    using P = CreateFromTemplate;
    return creation<P>("CreateDataVolumeFromVolumeTemplate", "/volumes/data/from/data-volume-templates/{imageUuid}",
                       "Make a data volume from an image")
        .required(In::url, "imageUuid", &P::image, "a DataVolumeTemplate")
        .required(In::body, "primaryStorageUuid", &P::storage, "where to make it")
        .optional(In::body, "hostUuid", &P::host, "where to make it; this host")
        .timeout(hours(72))
        .job_class(JobClass::copy)
        .runs_as_job(queue_of(&P::uuid), with(services, create_volume_from_template));
}

Row create_from_snapshot_row(Services& services) {
    using P = CreateFromSnapshot;
    const auto queues_of_both = [&services](const P& params) {
        std::vector<std::string> queues{api::queue_name("Volume", params.uuid.str())};
        // The snapshot's layers must stay as they are while they are read.
        if (const auto snapshot = services.inventory.find<VolumeSnapshot>(params.snapshot))
            queues.push_back(api::queue_name("Volume", snapshot->volume.str()));
        return queues;
    };
    return creation<P>("CreateDataVolumeFromVolumeSnapshot", "/volumes/data/from/volume-snapshots/{volumeSnapshotUuid}",
                       "Make a data volume that is a whole copy of a snapshot")
        .required(In::url, "volumeSnapshotUuid", &P::snapshot, "the snapshot")
        .optional(In::body, "primaryStorageUuid", &P::storage, "where to make it; default: where the snapshot lies")
        .timeout(hours(3))
        .job_class(JobClass::copy)
        .runs_as_job(queues_of_both, with(services, create_volume_from_snapshot));
}

Row delete_row(Services& services) {
    using P = DeleteVolume;
    return Operation<P>{"DeleteDataVolume", Method::del, "/volumes/{uuid}",
                        "Detach a data volume and put it aside until it is recovered or expunged"}
        .required(In::url, "uuid", &P::volume, "the volume; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values on a single host")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .runs_as_job(queues_of_volume<P>(services), with(services, delete_data_volume));
}

Row expunge_row(Services& services) {
    using P = OnVolume;
    return Operation<P>{"ExpungeDataVolume", Method::put, actions, "Delete a deleted volume and its snapshots for good"}
        .action("expungeDataVolume")
        .required(In::url, "uuid", &P::volume, "the volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, expunge_data_volume));
}

Row recover_row(Services& services) {
    using P = OnVolume;
    return Operation<P>{"RecoverDataVolume", Method::put, actions, "Bring a deleted volume back, detached"}
        .action("recoverDataVolume")
        .required(In::url, "uuid", &P::volume, "the volume")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, recover_data_volume));
}

Row change_state_row(Services& services) {
    using P = ChangeVolumeState;
    return Operation<P>{"ChangeVolumeState", Method::put, actions,
                        "Disable a volume: it cannot be attached or snapshotted, but stays where it is; or enable it"}
        .action("changeVolumeState")
        .required(In::url, "uuid", &P::volume, "the volume")
        .required(In::body, "stateEvent", &P::event, "enable or disable")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queue_of(&P::volume), with(services, change_volume_state));
}

Row update_row(Services& services) {
    using P = UpdateVolume;
    return Operation<P>{"UpdateVolume", Method::put, actions, "Change the name or description of a volume"}
        .action("updateVolume")
        .required(In::url, "uuid", &P::volume, "the volume")
        .optional(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .returns("inventory", "Volume")
        .runs_as_job(queue_of(&P::volume), with(services, update_volume));
}

Row sync_size_row(Services& services) {
    using P = OnVolume;
    return Operation<P>{"SyncVolumeSize", Method::put, actions, "Look at the storage for the sizes of a volume"}
        .action("syncVolumeSize")
        .required(In::url, "uuid", &P::volume, "the volume; one that is not Ready stays as it is")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queue_of(&P::volume), with(services, sync_volume_size));
}

template <class Handler>
Row resize_row(Services& services, const char* name, const char* path, const char* key, const char* summary,
               Handler handler) {
    using P = ResizeVolume;
    return Operation<P>{name, Method::put, path, summary}
        .action(key)
        .required(In::url, "uuid", &P::volume, "the volume")
        .required(In::body, "size", &P::size, "bytes; more than it has")
        .range(1)
        .optional(In::body, "vmInstanceUuid", &P::vm, "the VM that has it, as a check")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, handler));
}

Row attach_row(Services& services) {
    using P = AttachVolume;
    return Operation<P>{"AttachDataVolumeToVm", Method::post, "/volumes/{volumeUuid}/vm-instances/{vmInstanceUuid}",
                        "Plug a data volume into a VM that runs, is paused or is stopped"}
        .required(In::url, "volumeUuid", &P::volume, "the volume")
        .required(In::url, "vmInstanceUuid", &P::vm, "the VM")
        .returns("inventory", "Volume")
        .runs_as_job(queue_of(&P::volume, &P::vm), with(services, attach_data_volume));
}

Row detach_row(Services& services) {
    using P = DetachVolume;
    return Operation<P>{"DetachDataVolumeFromVm", Method::del, "/volumes/{uuid}/vm-instances",
                        "Take a data volume from its VM; done when the guest has let go"}
        .required(In::url, "uuid", &P::volume, "the volume")
        .optional(In::query, "vmUuid", &P::vm, "which VM; required for a shareable volume")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, detach_data_volume));
}

Row set_throttle_row(Services& services) {
    using P = SetVolumeThrottle;
    constexpr std::int64_t least_bandwidth = 1024;
    return Operation<P>{"SetVolumeQoS", Method::put, actions, "Limit the bandwidth and IOPS of a volume"}
        .action("setVolumeQos", {"params"})
        .also_at(throttle_path)
        .required(In::url, "uuid", &P::volume, "the volume")
        .optional(In::body, "mode", &P::mode, "what volumeBandwidth limits; default: total")
        .values({"total", "read", "write"})
        .optional(In::body, "volumeBandwidth", &P::bandwidth, "bytes per second")
        .range(least_bandwidth)
        .optional(In::body, "readBandwidth", &P::read_bandwidth, "bytes per second")
        .range(least_bandwidth)
        .optional(In::body, "writeBandwidth", &P::write_bandwidth, "bytes per second")
        .range(least_bandwidth)
        .optional(In::body, "totalBandwidth", &P::total_bandwidth, "bytes per second; excludes the two before")
        .range(least_bandwidth)
        .optional(In::body, "readIOPS", &P::read_iops, "requests per second")
        .range(1)
        .optional(In::body, "writeIOPS", &P::write_iops, "requests per second")
        .range(1)
        .optional(In::body, "totalIOPS", &P::total_iops, "requests per second; excludes the two before")
        .range(1)
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, set_volume_throttle));
}

Row get_throttle_row(Services& services) {
    using P = GetVolumeThrottle;
    Operation<P> row{"GetVolumeQoS", Method::get, throttle_path, "The limits of a volume; -1: none"};
    row.required(In::url, "uuid", &P::volume, "the volume")
        .optional(In::query, "forceSync", &P::force_sync, "true: take over what the running VM has")
        .returns_value("volumeUuid", {{"type", "string"}});
    for (const char* limit :
         {"volumeBandwidth", "volumeBandwidthRead", "volumeBandwidthWrite", "iopsTotal", "iopsRead", "iopsWrite"})
        row.returns_value(limit, {{"type", "integer"}, {"format", "int64"}});
    return row.answers(with(services, get_volume_throttle));
}

Row delete_throttle_row(Services& services) {
    using P = DeleteVolumeThrottle;
    return Operation<P>{"DeleteVolumeQoS", Method::del, throttle_path, "Lift limits of a volume"}
        .required(In::url, "uuid", &P::volume, "the volume")
        .optional(In::query, "mode", &P::mode, "which limits; default: all")
        .returns("inventory", "Volume")
        .fails_as(Code::operation_failed)
        .runs_as_job(queues_of_volume<P>(services), with(services, delete_volume_throttle));
}

Row formats_row(Services& services) {
    const json format{{"type", "object"},
                      {"properties",
                       {{"format", {{"type", "string"}}},
                        {"masterHypervisorType", {{"type", "string"}}},
                        {"supportingHypervisorTypes", {{"type", "array"}, {"items", {{"type", "string"}}}}}}}};
    return Operation<OnVolume>{"GetVolumeFormat", Method::get, "/volumes/formats", "The formats of volumes and images"}
        .returns_value("formats", {{"type", "array"}, {"items", format}})
        .answers(with(services, get_volume_formats));
}

Row capabilities_row(Services& services) {
    using P = OnVolume;
    return Operation<P>{"GetVolumeCapabilities", Method::get, "/volumes/{uuid}/capabilities",
                        "What can be done with the volume"}
        .required(In::url, "uuid", &P::volume, "the volume")
        .returns_value("capabilities", {{"type", "object"}, {"additionalProperties", {{"type", "boolean"}}}})
        .answers(with(services, get_volume_capabilities));
}

Row vms_for_volume_row(Services& services) {
    using P = OnVolume;
    return Operation<P>{"GetDataVolumeAttachableVm", Method::get, "/volumes/{volumeUuid}/candidate-vm-instances",
                        "VMs that the volume can be attached to"}
        .required(In::url, "volumeUuid", &P::volume, "the volume")
        .returns_list("inventories", "VmInstance")
        .answers(with(services, get_vms_for_volume));
}

Row volumes_for_vm_row(Services& services) {
    using P = VolumesForVm;
    return Operation<P>{"GetVmAttachableDataVolume", Method::get, "/vm-instances/{vmInstanceUuid}/data-volume-candidates",
                        "Data volumes that can be attached to the VM"}
        .required(In::url, "vmInstanceUuid", &P::vm, "the VM")
        .returns_list("inventories", "Volume")
        .allowed_in({VmState::running, VmState::stopped}, Code::operation_failed)
        .answers(with(services, get_volumes_for_vm));
}

}  // namespace

api::Table volume_api(Services& services) {
    return {
        create_row(services),
        create_from_template_row(services),
        create_from_snapshot_row(services),
        delete_row(services),
        expunge_row(services),
        recover_row(services),
        change_state_row(services),
        update_row(services),
        sync_size_row(services),
        resize_row(services, "ResizeRootVolume", "/volumes/resize/{uuid}/actions", "resizeRootVolume",
                   "Make a root volume larger; a running guest sees it at once", resize_root_volume),
        resize_row(services, "ResizeDataVolume", "/volumes/data/resize/{uuid}/actions", "resizeDataVolume",
                   "Make a data volume larger; a running guest sees it at once", resize_data_volume),
        attach_row(services),
        detach_row(services),
        set_throttle_row(services),
        get_throttle_row(services),
        delete_throttle_row(services),
        formats_row(services),
        capabilities_row(services),
        vms_for_volume_row(services),
        volumes_for_vm_row(services),
        query_row(services, "QueryVolume", "Volume", "/volumes", "List volumes"),
        query_list_row(services, "QueryShareableVolumeVmInstanceRef", "ShareableVolumeVmInstanceRef",
                       "/volumes/vm-instances/refs", "List which VMs share which shareable volumes"),
    };
}

}  // namespace hvagent::operations
