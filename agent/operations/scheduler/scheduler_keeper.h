// Does what schedulers ask for, through jobs like everybody.
#pragma once
#include <functional>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::operations {

// Thread-safe. Sleeps until the next scheduler is due; while there are any it looks at the clock of the wall once a minute,
// since that may be put right. What was missed while the daemon was down, or the host asleep, is done once.
class SchedulerKeeper {
public:
    // `submit` gives CreateVolumeSnapshot with these arguments to the job engine.
    using Submit = std::function<JobId(const nlohmann::json& arguments)>;
    using IsFinished = std::function<bool(const JobId&)>;
    SchedulerKeeper(inventory::Inventory& inventory, Timer& timer, const Clock& clock, Submit submit,
                    IsFinished is_finished);

    // At start, and when a scheduler came, went or changed; cheap, does not block.
    void look();

private:
    void check();
    // When it is to be looked at again; nullopt: never.
    std::optional<Time> attend(const Scheduler& scheduler, Time now);
    // Nothing is left to be done for moments up to `until`.
    void settle(const SchedulerId& scheduler, Time until, bool fired);
    bool fire(const Scheduler& scheduler, Time due);
    bool is_at_work(const Scheduler& scheduler);

    inventory::Inventory& inventory_;
    Timer& timer_;
    const Clock& clock_;
    const Submit submit_;
    const IsFinished is_finished_;
    std::mutex mutex_;
    std::uint64_t round_ = 0;                 // only the wake-up that was ordered last counts
    std::map<SchedulerId, JobId> last_jobs_;  // touched by the timer's thread only
};

}  // namespace hvagent::operations
