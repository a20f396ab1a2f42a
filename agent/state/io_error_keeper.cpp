#include "agent/state/io_error_keeper.h"

#include <algorithm>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {

// The answers of all storages of one VM; the last one leads on.
struct IoErrorKeeper::Look {
    std::mutex mutex;
    std::size_t missing = 0;
    std::string why_not;
};

IoErrorKeeper::IoErrorKeeper(const inventory::Inventory& inventory, Timer& timer, const Clock& clock, StorageTrials& trials,
                             IoErrorSettings settings, Actions actions)
    : inventory_(inventory),
      timer_(timer),
      clock_(clock),
      trials_(trials),
      settings_(std::move(settings)),
      actions_(std::move(actions)) {}

bool IoErrorKeeper::is_waiting(const VmId& vm) const {
    const auto record = inventory_.find<Vm>(vm);
    return record && record->is_paused_by_io_error();
}

std::string IoErrorKeeper::policy_of(const VmId& vm) const {
    return inventory_.system_tag(vm.str(), "ioErrorPolicy").value_or(settings_.policy);
}

void IoErrorKeeper::consider(const VmId& vm) {
    // Reads belong to the timer's thread: the caller may be inside a transaction or libvirt's event loop.
    timer_.at(clock_.moment(), [this, vm] {
        if (is_waiting(vm)) return try_again_later(vm);
        if (inventory_.find<Vm>(vm)) return;
        const std::lock_guard lock(mutex_);
        tries_.erase(vm);
    });
}

void IoErrorKeeper::try_again_later(const VmId& vm) {
    milliseconds delay;
    {
        const std::lock_guard lock(mutex_);
        Tries& tries = tries_[vm];
        if (tries.waiting) return;
        const bool was_calm = tries.last_resume != Moment{} && clock_.moment() - tries.last_resume > settings_.calm;
        const bool is_first = tries.delay.count() == 0 || was_calm;
        tries.delay = is_first ? settings_.first_delay : std::min(tries.delay * 2, settings_.longest_delay);
        tries.last_resume = Moment{};
        tries.waiting = true;
        delay = tries.delay;
    }
    timer_.at(clock_.moment() + delay, [this, vm] { act(vm); });
}

void IoErrorKeeper::act(const VmId& vm) {
    const std::string policy = policy_of(vm);
    const bool still_waits = is_waiting(vm);
    if (still_waits && policy == "resume") return look_at_storages(vm);
    {
        const std::lock_guard lock(mutex_);
        tries_[vm].waiting = false;
        if (!still_waits) tries_.erase(vm);  // somebody else saw to it
    }
    if (!still_waits) return;
    // Somebody may change the policy of one that is left.
    if (policy == "leave") return try_again_later(vm);
    log::warning("a VM is stopped because of an I/O error", {{"vm", vm.str()}});
    give_to_job(vm, actions_.stop);
}

// Root -> what it is called in messages.
std::map<std::string, std::string> IoErrorKeeper::storages_of(const VmId& vm) const {
    std::map<std::string, std::string> roots;
    for (const Volume& volume : inventory_.list<Volume>({{"vmInstanceUuid", vm.str()}}))
        if (const auto storage = inventory_.find<PrimaryStorage>(volume.primary_storage))
            roots[storage->url] = "storage " + storage->name;
    return roots;
}

void IoErrorKeeper::look_at_storages(const VmId& vm) {
    const auto roots = storages_of(vm);
    if (roots.empty()) return judge(vm, "");
    const auto look = std::make_shared<Look>();
    look->missing = roots.size();
    for (const auto& [root, name] : roots)
        trials_.begin(root, [this, vm, look, shown = name](const StorageTrial& trial) {
            const std::lock_guard lock(look->mutex);
            if (trial.outcome != StorageTrial::Outcome::works)
                look->why_not = shown + ": " + trial.why;
            else if (trial.space.available < settings_.room)
                look->why_not = shown + " has " + human_size(trial.space.available) + " left";
            if (--look->missing > 0) return;
            timer_.at(clock_.moment(), [this, vm, why_not = look->why_not] { judge(vm, why_not); });
        });
}

void IoErrorKeeper::judge(const VmId& vm, const std::string& why_not) {
    {
        const std::lock_guard lock(mutex_);
        Tries& tries = tries_[vm];
        tries.waiting = false;
        if (why_not.empty()) tries.last_resume = clock_.moment();
    }
    if (!is_waiting(vm)) return;
    if (!why_not.empty()) {
        log::debug("a VM stays paused: its storage is not well", {{"vm", vm.str()}, {"reason", why_not}});
        return try_again_later(vm);
    }
    log::info("a VM is resumed after an I/O error", {{"vm", vm.str()}});
    give_to_job(vm, actions_.resume);
}

void IoErrorKeeper::give_to_job(const VmId& vm, const std::function<void(const VmId&)>& action) {
    try {
        action(vm);
    } catch (const Error& error) {
        log::warning("a VM with an I/O error could not be given to a job", {{"vm", vm.str()}, {"error", error.details()}});
        try_again_later(vm);
    }
}

}  // namespace hvagent::state
