#include "agent/state/vm_states.h"

#include <algorithm>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {
namespace {

// An event of our own call comes within milliseconds; one that is later than this is news.
constexpr seconds echo_lifetime{2};

// A crashed VM has no QEMU any more: its definition says on_crash=destroy.
bool runs(VmState state) {
    return state == VmState::running || state == VmState::paused || state == VmState::no_state;
}

bool is_off(VmState state) {
    return state == VmState::stopped || state == VmState::crashed;
}

// Off or halted here, and on its way to another host.
bool may_run_elsewhere(const Vm& vm, VmState seen) {
    return !vm.migration.empty() && seen != VmState::running;
}

}  // namespace

VmStates::VmStates(inventory::Inventory& inventory, VmObserver& observer, const Clock& clock, HostId host)
    : inventory_(inventory), observer_(observer), clock_(clock), host_(std::move(host)) {}

void VmStates::begin() {
    inventory_.transaction([&] {
        for (const Vm& vm : inventory_.list<Vm>())
            if (vm.transition) inventory_.observe<Vm>(vm.uuid, [](Vm& record) { record.transition.reset(); });
    });
    forget_all("the agent started");
}

void VmStates::forget_all(const std::string& reason) {
    inventory_.transaction([&] {
        for (const Vm& vm : inventory_.list<Vm>({{"intent", std::string(to_text(VmIntent::kept))}}))
            inventory_.observe<Vm>(vm.uuid, [&](Vm& seen) {
                seen.observed = VmState::unknown;
                seen.observed_reason = reason;
                seen.observed_at = clock_.now();
            });
    });
}

void VmStates::on_connected(std::vector<VmObservation> picture) {
    std::map<VmId, const VmObservation*> shown;
    for (const VmObservation& one : picture) shown[one.vm] = &one;
    inventory_.transaction([&] {
        for (const Vm& vm : inventory_.list<Vm>()) {
            const auto found = shown.find(vm.uuid);
            if (found != shown.end())
                write(*found->second);
            else
                write({vm.uuid, VmState::stopped, "not on the host", clock_.now()});
        }
        inventory_.observe<Host>(host_, [](Host& host) { host.status = ConnectionStatus::connected; });
    });
    {
        std::lock_guard lock(mutex_);
        connected_ = true;
        echoes_.clear();
    }
    log::info("libvirt shows its VMs", {{"domains", picture.size()}});
    announce();
    for (const VmObservation& observation : picture)
        if (observation.held && held_listener_) held_listener_(observation.vm);
}

void VmStates::on_event(const VmEvent& event) {
    if (event.kind != VmEventKind::state) {
        if (guest_listener_) guest_listener_(event);
        return;
    }
    {
        std::lock_guard in_order(order_);
        const auto echo = match_echo(event.observation.vm, event.observation.state);
        if (!echo)
            write(event.observation);
        else if (!echo->outdated)
            write_echo(event.observation);
    }
    announce();
}

void VmStates::on_disconnected(const std::string& reason) {
    {
        std::lock_guard lock(mutex_);
        connected_ = false;
        silence_ = reason;
        echoes_.clear();
    }
    log::warning("libvirt is silent", {{"reason", reason}});
    forget_all("libvirt is silent: " + reason);
    inventory_.observe<Host>(host_, [](Host& host) { host.status = ConnectionStatus::disconnected; });
    announce();
}

void VmStates::announce() {
    {
        std::lock_guard lock(mutex_);
        ++news_;
    }
    changed_.notify_all();
}

bool VmStates::connected() const {
    std::lock_guard lock(mutex_);
    return connected_;
}

void VmStates::wait_connected(milliseconds patience) const {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, patience, [this] { return connected_; })) return;
    throw Error(Code::host_connection, "libvirt has not answered for " + std::to_string(patience.count() / 1000) +
                                           " s, so nothing was begun: " + silence_);
}

bool VmStates::wait_until(const VmId& vm, const std::vector<VmState>& states, Moment until, Cancellation& cancel) {
    const Cancellation::Subscription wake(cancel, [this] { announce(); });
    std::unique_lock lock(mutex_);
    for (;;) {
        cancel.check();
        const std::uint64_t known = news_;
        lock.unlock();
        const std::optional<Vm> record = inventory_.find<Vm>(vm);
        lock.lock();
        if (record && std::find(states.begin(), states.end(), record->observed) != states.end()) return true;
        if (!changed_.wait_until(lock, until, [&] { return news_ != known; })) return false;
    }
}

std::optional<VmState> VmStates::look(const VmId& vm) {
    try {
        const std::optional<VmObservation> seen = observer_.look(vm);
        const VmObservation observation =
            seen ? *seen : VmObservation{vm, VmState::stopped, "not on the host", clock_.now()};
        write(observation);
        const auto record = inventory_.find<Vm>(vm);
        if (record && may_run_elsewhere(*record, observation.state)) return std::nullopt;
        return observation.state;
    } catch (const Error& error) {
        write({vm, VmState::unknown, error.details(), clock_.now()});
        return std::nullopt;
    }
}

void VmStates::expect_echo(const VmId& vm, VmState state) {
    std::lock_guard lock(mutex_);
    echoes_[vm].push_back({state, clock_.moment() + echo_lifetime});
}

void VmStates::forget_echo(const VmId& vm) {
    std::lock_guard lock(mutex_);
    echoes_.erase(vm);
}

void VmStates::outdate_echoes(const VmId& vm) {
    std::lock_guard lock(mutex_);
    const auto found = echoes_.find(vm);
    if (found == echoes_.end()) return;
    std::erase_if(found->second, [](const Echo& echo) { return echo.seen; });
    for (Echo& echo : found->second) echo.outdated = true;
}

std::optional<VmStates::Echo> VmStates::match_echo(const VmId& vm, VmState state) {
    std::lock_guard lock(mutex_);
    const auto found = echoes_.find(vm);
    if (found == echoes_.end()) return std::nullopt;
    auto& expected = found->second;
    // A call that changed nothing has no echo; what comes so late is an event of its own.
    const Moment now = clock_.moment();
    std::erase_if(expected, [now](const Echo& echo) { return !echo.seen && echo.expires < now; });
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i].seen || expected[i].state != state) continue;
        for (std::size_t earlier = 0; earlier <= i; ++earlier) expected[earlier].seen = true;
        return expected[i];
    }
    for (Echo& echo : expected) echo.overtaken = echo.overtaken || echo.seen;
    return std::nullopt;
}

// The job writes the state itself, so an echo has something to say only when an older event came in between.
void VmStates::write_echo(const VmObservation& observation) {
    const auto vm = inventory_.find<Vm>(observation.vm);
    if (vm && !vm->transition && vm->observed != observation.state) write(observation);
}

bool VmStates::was_overtaken(const VmId& vm) {
    std::lock_guard lock(mutex_);
    const auto found = echoes_.find(vm);
    if (found == echoes_.end()) return false;
    auto& expected = found->second;
    // What came after an echo of an earlier job says nothing about what this one did.
    const bool overtaken = !expected.empty() && !expected.back().outdated && expected.back().overtaken;
    std::erase_if(expected, [&](const Echo& echo) { return echo.seen || echo.expires < clock_.moment(); });
    if (expected.empty()) echoes_.erase(found);
    return overtaken;
}

void VmStates::write(const VmObservation& observation) {
    inventory_.observe<Vm>(observation.vm, [&](Vm& vm) {
        if (may_run_elsewhere(vm, observation.state)) {
            vm.observed = VmState::unknown;
            vm.observed_at = observation.at;
            return;
        }
        // libvirt tells once why a disk failed, and when asked later only that it did.
        const bool knows_more = observation.state == VmState::paused && vm.observed == VmState::paused &&
                                observation.reason == io_error_reason && vm.observed_reason == no_space_reason;
        vm.observed = observation.state;
        if (!knows_more) vm.observed_reason = observation.reason;
        vm.observed_at = observation.at;
        if (vm.intent != VmIntent::kept) return;
        if (runs(observation.state)) {
            vm.host = host_;
        } else if (is_off(observation.state) && !vm.host.empty()) {
            vm.last_host = vm.host;
            vm.host = HostId();
        }
    });
}

Transition::Transition(VmStates& states, VmId vm, VmState via) : states_(states), vm_(std::move(vm)) {
    const auto before = states_.inventory_.find<Vm>(vm_);
    if (before && !before->migration.empty() && via != VmState::migrating)
        throw Error(Code::vm_wrong_state, "the migration " + before->migration.str() + " of VM " + vm_.str() +
                                              " is not settled, so it may run on another host: " + before->observed_reason);
    states_.outdate_echoes(vm_);
    states_.inventory_.observe<Vm>(vm_, [&](Vm& record) { record.transition = via; });
}

Transition::~Transition() {
    if (arrived_) return;
    try {
        states_.forget_echo(vm_);
        states_.look(vm_);
        states_.inventory_.observe<Vm>(vm_, [](Vm& record) { record.transition.reset(); });
    } catch (...) {
        log::error("the state of a VM could not be written", {{"vm", vm_.str()}, {"error", current_error().details()}});
    }
}

void Transition::arrived(VmState state, const std::string& reason, const std::function<void(Vm&)>& also) {
    std::lock_guard in_order(states_.order_);
    const bool overtaken = states_.was_overtaken(vm_);
    states_.inventory_.transaction([&] {
        if (!overtaken) states_.write({vm_, state, reason, states_.clock_.now()});
        states_.inventory_.observe<Vm>(vm_, [&](Vm& record) {
            record.transition.reset();
            record.last_op = states_.clock_.now();
            if (also) also(record);
        });
    });
    arrived_ = true;
}

}  // namespace hvagent::state
