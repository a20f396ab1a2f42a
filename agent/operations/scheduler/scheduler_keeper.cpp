#include "agent/operations/scheduler/scheduler_keeper.h"

#include <algorithm>
#include <ctime>

#include "agent/operations/scheduler/firing.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

constexpr seconds longest_sleep{60};
constexpr seconds retry{10};            // of a job that was not accepted
constexpr seconds clock_was_wrong{60};  // so far in the future nothing has been fired

}  // namespace

SchedulerKeeper::SchedulerKeeper(inventory::Inventory& inventory, Timer& timer, const Clock& clock, Submit submit,
                                 IsFinished is_finished)
    : inventory_(inventory),
      timer_(timer),
      clock_(clock),
      submit_(std::move(submit)),
      is_finished_(std::move(is_finished)) {}

void SchedulerKeeper::look() {
    const std::lock_guard lock(mutex_);
    timer_.at(clock_.moment(), [this, round = ++round_] {
        {
            const std::lock_guard again(mutex_);
            if (round != round_) return;
        }
        check();
    });
}

void SchedulerKeeper::check() {
    tzset();  // somebody may have moved the host to another time zone
    const Time now = clock_.now();
    std::optional<Time> next;
    for (const Scheduler& scheduler : inventory_.list<Scheduler>()) {
        try {
            const auto due = attend(scheduler, now);
            if (due) next = next ? std::min(*next, *due) : *due;
        } catch (...) {
            log::error("a scheduler cannot be attended to",
                       {{"scheduler", scheduler.uuid.str()}, {"error", current_error().details()}});
            next = now + longest_sleep;
        }
    }
    const std::lock_guard lock(mutex_);
    const std::uint64_t round = round_;
    if (!next) return;
    const Time wake = std::clamp<Time>(*next, now, now + longest_sleep);
    timer_.at(clock_.moment() + std::chrono::ceil<milliseconds>(wake - now), [this, round] {
        {
            const std::lock_guard again(mutex_);
            if (round != round_) return;
        }
        check();
    });
}

std::optional<Time> SchedulerKeeper::attend(const Scheduler& scheduler, Time now) {
    const auto volume = inventory_.find<Volume>(VolumeId(scheduler.target));
    if (!volume) {
        log::info("the target of a scheduler is gone, and the scheduler with it", {{"scheduler", scheduler.uuid.str()}});
        inventory_.remove<Scheduler>(scheduler.uuid);
        last_jobs_.erase(scheduler.uuid);
        return std::nullopt;
    }
    if (scheduler.state != EnabledState::enabled) return std::nullopt;
    if (scheduler.last_fired > now + clock_was_wrong) {
        settle(scheduler.uuid, now, false);
        return next_firing(scheduler, now);
    }
    const auto due = next_firing(scheduler, scheduler.last_fired);
    if (!due || *due > now) return due;
    bool fired = false;
    // A volume that waits to be expunged may come back; one that is not there yet has nothing to freeze.
    if (volume->status == VolumeStatus::ready && !is_at_work(scheduler)) {
        if (!fire(scheduler, *due)) return now + retry;
        fired = true;
    }
    settle(scheduler.uuid, now, fired);
    return next_firing(scheduler, now);
}

void SchedulerKeeper::settle(const SchedulerId& scheduler, Time until, bool fired) {
    inventory_.modify<Scheduler>(scheduler, [&](Scheduler& record) {
        record.last_fired = until;
        if (fired) ++record.fired;
    });
}

// Snapshots that take longer than their interval do not queue up.
bool SchedulerKeeper::is_at_work(const Scheduler& scheduler) {
    const auto last = last_jobs_.find(scheduler.uuid);
    if (last == last_jobs_.end() || is_finished_(last->second)) return false;
    log::warning("a scheduled snapshot is left out: the last one is not finished", {{"scheduler", scheduler.uuid.str()}});
    return true;
}

bool SchedulerKeeper::fire(const Scheduler& scheduler, Time due) {
    try {
        last_jobs_[scheduler.uuid] = submit_(snapshot_request(scheduler, due));
        return true;
    } catch (const Error& error) {
        log::warning("a scheduled snapshot could not be given to a job",
                     {{"scheduler", scheduler.uuid.str()}, {"error", error.details()}});
        return false;
    }
}

}  // namespace hvagent::operations
