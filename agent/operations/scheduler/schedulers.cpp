#include "agent/operations/scheduler/cron.h"
#include "agent/operations/scheduler/firing.h"
#include "agent/operations/scheduler/handlers.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr std::int64_t latest_start = 4102444800;  // 2100; milliseconds taken for seconds lie far behind it

[[noreturn]] void refuse(const std::string& parameter, const std::string& why) {
    throw Error(Code::invalid_argument, "parameter '" + parameter + "' " + why);
}

void check(const CreateSnapshotScheduler& params) {
    if (params.type == SchedulerType::simple) {
        if (params.interval == 0) refuse("interval", "is required for type simple: seconds between two snapshots");
        if (!params.cron.empty()) refuse("cron", "is for type cron only");
    } else {
        if (params.cron.empty()) refuse("cron", "is required for type cron: a Quartz expression");
        if (params.interval != 0) refuse("interval", "is for type simple only");
        if (params.repeat_count != 0) refuse("repeatCount", "is for type simple only");
        CronExpression{params.cron};
    }
    if (params.start_time > latest_start) refuse("startTime", "must be in unix seconds, and before the year 2100");
}

Scheduler design(Services& services, const CreateSnapshotScheduler& params) {
    const Time now = std::chrono::floor<seconds>(services.clock.now());
    Scheduler scheduler;
    scheduler.uuid = params.uuid;
    scheduler.target = params.volume.str();
    scheduler.name = params.name;
    scheduler.description = params.description;
    scheduler.job = "createVolumeSnapshot";
    json data{{"name", params.snapshot_name}};
    if (!params.snapshot_description.empty()) data["description"] = params.snapshot_description;
    scheduler.job_data = data.dump();
    scheduler.type = params.type;
    scheduler.interval = params.interval;
    scheduler.repeat_count = params.repeat_count;
    scheduler.cron = params.cron;
    scheduler.start = params.start_time == 0 ? now : Time(seconds(params.start_time));
    if (const auto last = last_firing(scheduler)) scheduler.stop = *last;
    // What would have been before it was made is not missed.
    scheduler.last_fired = now - seconds(1);
    if (!next_firing(scheduler, scheduler.last_fired))
        refuse(params.type == SchedulerType::cron ? "cron" : "startTime", "leaves no moment in the future");
    return scheduler;
}

}  // namespace

json create_snapshot_scheduler(Services& services, Job&, const CreateSnapshotScheduler& params) {
    check_no_system_tags(params.tags, "scheduler");
    if (!services.inventory.find<Scheduler>(params.uuid)) {  // else an earlier life of this job came so far
        check(params);
        const Volume volume = services.inventory.get<Volume>(params.volume);
        if (volume.shareable)
            throw Error(Code::operation_failed, shown(volume) + " is shareable: no snapshots can be taken of it");
        if (volume.status == VolumeStatus::deleted) throw Error(Code::operation_failed, shown(volume) + " is Deleted");
        const Scheduler scheduler = design(services, params);
        services.inventory.transaction([&] {
            services.inventory.insert(scheduler);
            add_tags(services, "Scheduler", params.uuid.str(), params.tags);
        });
    }
    services.consider_schedulers();
    return services.inventory.answer("Scheduler", params.uuid.str());
}

json update_scheduler(Services& services, Job&, const UpdateScheduler& params) {
    services.inventory.modify<Scheduler>(params.scheduler, [&](Scheduler& record) {
        if (!params.name.empty()) record.name = params.name;
        if (params.description) record.description = *params.description;
    });
    return services.inventory.answer("Scheduler", params.scheduler.str());
}

json change_scheduler_state(Services& services, Job&, const ChangeSchedulerState& params) {
    services.inventory.modify<Scheduler>(params.scheduler, [&](Scheduler& record) {
        const EnabledState state = state_after(params.event);
        // What would have been while it was Disabled is not made up.
        if (state == EnabledState::enabled && record.state != state) record.last_fired = services.clock.now();
        record.state = state;
    });
    services.consider_schedulers();
    return services.inventory.answer("Scheduler", params.scheduler.str());
}

json delete_scheduler(Services& services, Job&, const OnScheduler& params) {
    services.inventory.remove<Scheduler>(params.scheduler);
    services.consider_schedulers();
    return json::object();
}

}  // namespace hvagent::operations
