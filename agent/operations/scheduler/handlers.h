// The handlers of schedulers and what they are asked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "agent/api/operation.h"
#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::api {

template <>
struct ResourceOf<SchedulerId> {
    static constexpr std::string_view name = "Scheduler";
};

}  // namespace hvagent::api

namespace hvagent::operations {

using nlohmann::json;

struct CreateSnapshotScheduler {
    VolumeId volume;
    std::string snapshot_name;
    std::string snapshot_description;
    std::string name;
    std::string description;
    SchedulerType type = SchedulerType::simple;
    int interval = 0;             // seconds
    int repeat_count = 0;         // 0: for ever
    std::int64_t start_time = 0;  // unix seconds; 0: now
    std::string cron;
    SchedulerId uuid;
    api::Tags tags;
};

struct OnScheduler {
    SchedulerId scheduler;
};

struct UpdateScheduler {
    SchedulerId scheduler;
    std::string name;
    std::optional<std::string> description;
};

struct ChangeSchedulerState {
    SchedulerId scheduler;
    StateEvent event = StateEvent::enable;
};

json create_snapshot_scheduler(Services& services, Job& job, const CreateSnapshotScheduler& params);
json update_scheduler(Services& services, Job& job, const UpdateScheduler& params);
json change_scheduler_state(Services& services, Job& job, const ChangeSchedulerState& params);
json delete_scheduler(Services& services, Job& job, const OnScheduler& params);

}  // namespace hvagent::operations
