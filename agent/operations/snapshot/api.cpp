#include "agent/operations/snapshot/api.h"

#include "agent/operations/rows.h"
#include "agent/operations/snapshot/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;

// Of an operation on a snapshot: all its volume's, so that no job on the volume or its VM runs beside it.
template <class P>
api::QueueOf<P> queues_of_snapshot(Services& services, SnapshotId P::*member) {
    return [&services, member](const P& params) {
        std::vector<std::string> queues{api::queue_name("VolumeSnapshot", (params.*member).str())};
        if (const auto snapshot = services.inventory.find<VolumeSnapshot>(params.*member))
            for (std::string& queue : volume_queues(services, snapshot->volume)) queues.push_back(std::move(queue));
        return queues;
    };
}

Row create_row(Services& services) {
    using P = CreateSnapshot;
    return Operation<P>{"CreateVolumeSnapshot", Method::post, "/volumes/{volumeUuid}/volume-snapshots",
                        "Freeze what a volume holds now"}
        .required(In::url, "volumeUuid", &P::volume, "the volume; its VM may run")
        .required(In::body, "name", &P::name, "what people call the snapshot")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "VolumeSnapshot")
        .returns_value("quiesced", {{"type", "boolean"}})
        .fails_as(Code::operation_failed)
        .timeout(std::chrono::hours(3))
        .runs_as_job(
            [&services](const P& params) {
                auto queues = volume_queues(services, params.volume);
                queues.push_back(api::queue_name("VolumeSnapshot", params.uuid.str()));
                return queues;
            },
            with(services, create_snapshot));
}

Row delete_row(Services& services) {
    using P = DeleteSnapshot;
    return Operation<P>{"DeleteVolumeSnapshot", Method::del, "/volume-snapshots/{uuid}",
                        "Delete a snapshot and all that descend from it"}
        .required(In::url, "uuid", &P::snapshot, "the snapshot; unknown is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .timeout(std::chrono::hours(6))
        .job_class(JobClass::copy)
        .runs_as_job(queues_of_snapshot(services, &P::snapshot), with(services, delete_snapshot));
}

Row revert_row(Services& services) {
    using P = OnSnapshot;
    return Operation<P>{"RevertVolumeFromSnapshot", Method::put, "/volume-snapshots/{uuid}/actions",
                        "Take a volume back to a snapshot; what was written since is lost"}
        .action("revertVolumeFromSnapshot")
        .required(In::url, "uuid", &P::snapshot, "the snapshot; the VM of its volume must be Stopped")
        .fails_as(Code::operation_failed)
        .timeout(std::chrono::hours(24))
        .runs_as_job(queues_of_snapshot(services, &P::snapshot), with(services, revert_volume));
}

Row update_row(Services& services) {
    using P = UpdateSnapshot;
    return Operation<P>{"UpdateVolumeSnapshot", Method::put, "/volume-snapshots/{uuid}/actions",
                        "Rename or describe a snapshot"}
        .action("updateVolumeSnapshot")
        .required(In::url, "uuid", &P::snapshot, "the snapshot")
        .optional(In::body, "name", &P::name, "its new name")
        .is_name()
        .optional(In::body, "description", &P::description, "its new description")
        .max_length(2048)
        .returns("inventory", "VolumeSnapshot")
        .runs_as_job(api::queue_of(&P::snapshot), with(services, update_snapshot));
}

}  // namespace

api::Table snapshot_api(Services& services) {
    return {
        create_row(services),
        delete_row(services),
        revert_row(services),
        update_row(services),
        api::query_operation(
            "QueryVolumeSnapshotTree", "VolumeSnapshotTree", "/volume-snapshots/trees", "List trees of snapshots",
            [&services](const std::string&, const api::QueryRequest& request) { return query_trees(services, request); }),
        query_row(services, "QueryVolumeSnapshot", "VolumeSnapshot", "/volume-snapshots", "List snapshots of volumes"),
    };
}

}  // namespace hvagent::operations
