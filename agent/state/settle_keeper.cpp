#include "agent/state/settle_keeper.h"

#include <algorithm>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {

SettleKeeper::SettleKeeper(const inventory::Inventory& inventory, Timer& timer, const Clock& clock, SettleSettings settings,
                           Actions actions)
    : inventory_(inventory), timer_(timer), clock_(clock), settings_(settings), actions_(std::move(actions)) {}

void SettleKeeper::start() {
    const std::string creating(to_text(SnapshotStatus::creating));
    for (const VolumeSnapshot& snapshot : inventory_.list<VolumeSnapshot>({{"status", creating}})) {
        const auto volume = inventory_.find<Volume>(snapshot.volume);
        if (volume && !volume->vm.empty()) owe(volume->vm);
    }
}

void SettleKeeper::owe(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    try_soon(vm, debts_[vm]);
}

void SettleKeeper::settled(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    debts_.erase(vm);
}

void SettleKeeper::consider(const VmId& vm) {
    const std::lock_guard lock(mutex_);
    if (const auto debt = debts_.find(vm); debt != debts_.end()) try_soon(vm, debt->second);
}

void SettleKeeper::try_soon(const VmId& vm, Debt& debt) {
    debt.delay = settings_.first_delay;
    debt.due = clock_.moment() + settings_.first_delay;
    wake_at(vm, debt.due);
}

// An earlier wake-up that was overtaken finds nothing due.
void SettleKeeper::wake_at(const VmId& vm, Moment due) {
    timer_.at(due, [this, vm] { act(vm); });
}

std::optional<JobId> SettleKeeper::last_job_of_due(const VmId& vm) {
    const bool exists = inventory_.find<Vm>(vm).has_value();
    const std::lock_guard lock(mutex_);
    const auto debt = debts_.find(vm);
    if (debt == debts_.end() || clock_.moment() < debt->second.due) return std::nullopt;
    if (exists) return debt->second.job;
    debts_.erase(debt);
    return std::nullopt;
}

void SettleKeeper::act(const VmId& vm) {
    const auto last = last_job_of_due(vm);
    if (!last) return;
    JobId job = *last;
    if (actions_.sees_libvirt() && (job.empty() || actions_.is_over(job))) {
        try {
            job = actions_.submit(vm);
        } catch (const Error& error) {
            log::warning("a VM with something left open could not be given to a job",
                         {{"vm", vm.str()}, {"error", error.details()}});
        }
    }
    put_off(vm, job);
}

void SettleKeeper::put_off(const VmId& vm, const JobId& job) {
    const std::lock_guard lock(mutex_);
    const auto found = debts_.find(vm);
    if (found == debts_.end()) return;  // settled by now
    Debt& debt = found->second;
    debt.job = job;
    debt.due = clock_.moment() + debt.delay;
    debt.delay = std::min(debt.delay * 2, settings_.longest_delay);
    wake_at(vm, debt.due);
}

}  // namespace hvagent::state
