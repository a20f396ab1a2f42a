#include "agent/state/keepers.h"

#include <algorithm>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {

HaKeeper::HaKeeper(inventory::Inventory& inventory, Timer& timer, const Clock& clock, HaSettings settings,
                   std::function<void(const VmId&)> start_vm)
    : inventory_(inventory), timer_(timer), clock_(clock), settings_(settings), start_vm_(std::move(start_vm)) {}

void HaKeeper::consider_all() {
    for (const Vm& vm : inventory_.list<Vm>({{"should_run", std::int64_t{1}}})) consider(vm.uuid);
}

bool HaKeeper::is_due(const VmId& vm) const {
    const auto record = inventory_.find<Vm>(vm);
    if (!record || !record->should_run || record->intent != VmIntent::kept || record->transition) return false;
    if (record->observed != VmState::stopped && record->observed != VmState::crashed) return false;
    return inventory_.system_tag(vm.str(), "ha") == "NeverStop";
}

void HaKeeper::consider(const VmId& vm) {
    // Reads belong to the timer's thread: the caller may be inside a transaction or libvirt's event loop.
    timer_.at(clock_.moment(), [this, vm] {
        if (!is_due(vm)) return forget_removed(vm);
        milliseconds delay;
        {
            std::lock_guard lock(mutex_);
            Tries& tries = tries_[vm];
            if (tries.waiting) return;
            const bool was_calm =
                tries.delay.count() == 0 || clock_.moment() - tries.last_start > tries.delay + settings_.calm;
            tries.delay = was_calm ? settings_.first_delay : std::min(tries.delay * 2, settings_.longest_delay);
            tries.waiting = true;
            delay = tries.delay;
        }
        log::warning("a NeverStop VM is down", {{"vm", vm.str()}, {"start_in_ms", delay.count()}});
        timer_.at(clock_.moment() + delay, [this, vm] { start(vm); });
    });
}

void HaKeeper::forget_removed(const VmId& vm) {
    if (inventory_.find<Vm>(vm)) return;
    std::lock_guard lock(mutex_);
    tries_.erase(vm);
}

void HaKeeper::start(const VmId& vm) {
    {
        std::lock_guard lock(mutex_);
        Tries& tries = tries_[vm];
        tries.waiting = false;
        tries.last_start = clock_.moment();
    }
    if (!is_due(vm)) return;
    try {
        start_vm_(vm);
    } catch (const Error& error) {
        log::warning("a NeverStop VM could not be given to a job", {{"vm", vm.str()}, {"error", error.details()}});
        consider(vm);
    }
}

std::vector<Expiring::PutAside> destroyed_vms(const inventory::Inventory& inventory) {
    std::vector<Expiring::PutAside> found;
    for (const Vm& vm : inventory.list<Vm>({{"intent", std::string(to_text(VmIntent::destroyed))}}))
        found.push_back({{{"uuid", vm.uuid.str()}}, vm.destroyed_at});
    return found;
}

std::vector<Expiring::PutAside> deleted_volumes(const inventory::Inventory& inventory) {
    std::vector<Expiring::PutAside> found;
    for (const Volume& volume : inventory.list<Volume>({{"status", std::string(to_text(VolumeStatus::deleted))}}))
        found.push_back({{{"uuid", volume.uuid.str()}}, volume.deleted_at});
    return found;
}

std::vector<Expiring::PutAside> deleted_images(const inventory::Inventory& inventory) {
    std::vector<Expiring::PutAside> found;
    // Nothing changes a ref while it is Deleted, so its last operation was that.
    for (const ImageRef& ref : inventory.list<ImageRef>({{"status", std::string(to_text(ImageStatus::deleted))}}))
        found.push_back({{{"imageUuid", ref.image.str()}, {"backupStorageUuids", {ref.backup_storage.str()}}}, ref.last_op});
    return found;
}

ExpiryKeeper::ExpiryKeeper(Timer& timer, const Clock& clock, std::vector<Expiring> kinds, Submit submit)
    : timer_(timer), clock_(clock), kinds_(std::move(kinds)), submit_(std::move(submit)) {}

// One that cannot be expunged now must not keep the others, or the next look.
void ExpiryKeeper::expunge(const Expiring& kind, const Expiring::PutAside& one) {
    try {
        submit_(kind.operation, one.arguments);
    } catch (const Error& error) {
        log::warning("what has expired could not be given to a job",
                     {{"operation", kind.operation}, {"arguments", one.arguments.dump()}, {"error", error.details()}});
    }
}

Time ExpiryKeeper::expunge_expired(const Expiring& kind, Time now) {
    // What is deleted after this look is not due before its lifetime is over.
    Time next = now + std::min<seconds>(std::chrono::minutes(1), kind.lifetime);
    for (const Expiring::PutAside& one : kind.list()) {
        const Time due = one.since + kind.lifetime;
        if (due <= now)
            expunge(kind, one);
        else
            next = std::min(next, due);
    }
    return next;
}

void ExpiryKeeper::check() {
    const Time now = clock_.now();
    Time next = now + std::chrono::minutes(1);
    for (const Expiring& kind : kinds_) next = std::min(next, expunge_expired(kind, now));
    const auto wait = std::chrono::duration_cast<milliseconds>(next - now);
    timer_.at(clock_.moment() + std::max(wait, milliseconds(1000)), [this] { check(); });
}

}  // namespace hvagent::state
