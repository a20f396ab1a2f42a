#include "agent/operations/scheduler/api.h"

#include "agent/operations/scheduler/handlers.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;

Row create_row(Services& services) {
    using P = CreateSnapshotScheduler;
    return Operation<P>{"CreateVolumeSnapshotScheduler", Method::post,
                        "/volumes/{volumeUuid}/schedulers/creating-volume-snapshots", "Take snapshots of a volume at times"}
        .required(In::url, "volumeUuid", &P::volume, "the volume")
        .required(In::body, "snapShotName", &P::snapshot_name, "of the snapshots; the time is added to it")
        .is_name()
        .max_length(240)
        .optional(In::body, "volumeSnapshotDescription", &P::snapshot_description, "of the snapshots")
        .max_length(2048)
        .required(In::body, "schedulerName", &P::name, "what people call the scheduler")
        .is_name()
        .optional(In::body, "schedulerDescription", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "type", &P::type, "simple: at an interval; cron: by a Quartz expression")
        .optional(In::body, "interval", &P::interval, "seconds; of type simple")
        .range(1)
        .optional(In::body, "repeatCount", &P::repeat_count, "snapshots in all, for ever when absent; of type simple")
        .range(1)
        .optional(In::body, "startTime", &P::start_time, "unix seconds; 0 is now")
        .range(0)
        .optional(In::body, "cron", &P::cron, "seconds minutes hours day-of-month month day-of-week [year], local time")
        .max_length(255)
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .returns("inventory", "Scheduler")
        .runs_as_job(api::queue_of(&P::uuid), with(services, create_snapshot_scheduler));
}

Row update_row(Services& services) {
    using P = UpdateScheduler;
    return Operation<P>{"UpdateScheduler", Method::put, "/schedulers/{uuid}/actions", "Rename or describe a scheduler"}
        .action("updateScheduler")
        .required(In::url, "uuid", &P::scheduler, "the scheduler")
        .optional(In::body, "schedulerName", &P::name, "its new name")
        .is_name()
        .optional(In::body, "schedulerDescription", &P::description, "its new description")
        .max_length(2048)
        .returns("inventory", "Scheduler")
        .runs_as_job(api::queue_of(&P::scheduler), with(services, update_scheduler));
}

Row change_state_row(Services& services) {
    using P = ChangeSchedulerState;
    return Operation<P>{"ChangeSchedulerState", Method::put, "/schedulers/{uuid}", "Enable or disable a scheduler"}
        .also_at("/schedulers/{uuid}/actions")
        .action("changeSchedulerState")
        .required(In::url, "uuid", &P::scheduler, "the scheduler")
        .required(In::body, "stateEvent", &P::event, "enable: from now on; disable: what is missed is not made up")
        .returns("inventory", "Scheduler")
        .runs_as_job(api::queue_of(&P::scheduler), with(services, change_scheduler_state));
}

Row delete_row(Services& services) {
    using P = OnScheduler;
    return Operation<P>{"DeleteScheduler", Method::del, "/schedulers/{uuid}", "Delete a scheduler; its snapshots stay"}
        .required(In::url, "uuid", &P::scheduler, "the scheduler")
        .gone_is_success()
        .runs_as_job(api::queue_of(&P::scheduler), with(services, delete_scheduler));
}

}  // namespace

api::Table scheduler_api(Services& services) {
    return {
        create_row(services),
        update_row(services),
        change_state_row(services),
        delete_row(services),
        query_row(services, "QueryScheduler", "Scheduler", "/schedulers", "List schedulers"),
    };
}

}  // namespace hvagent::operations
