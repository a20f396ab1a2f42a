#include "agent/state/shutdown_keeper.h"

#include <algorithm>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {
namespace {

constexpr milliseconds reserve{1000};              // of what the host gives: the last end is written, the hold let go
constexpr milliseconds longest_plug_share{10000};  // of the budget: what happens without the consent of guests
constexpr seconds libvirt_look{1};

bool is_off(VmState state) {
    return state == VmState::stopped || state == VmState::crashed || state == VmState::created ||
           state == VmState::destroyed;
}

// Somebody else wants it down, and not for the host's sake.
bool is_being_stopped(const Vm& vm) {
    return vm.transition == VmState::stopping || vm.transition == VmState::destroying;
}

std::string in_words(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what;
}

}  // namespace

ShutdownKeeper::ShutdownKeeper(ShutdownParts parts, ShutdownSettings settings)
    : parts_(std::move(parts)), settings_(settings) {
    parts_.inventory.on_vm_change([this](const VmId&) {
        {
            const std::lock_guard lock(mutex_);
            ++news_;
        }
        changed_.notify_all();
    });
}

void ShutdownKeeper::start() {
    hold_host();
    parts_.host.start(*this);
    if (!list_marked().empty()) run(&ShutdownKeeper::bring_back);
}

void ShutdownKeeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    parts_.host.stop();
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
}

bool ShutdownKeeper::goes_down() const {
    const std::lock_guard lock(mutex_);
    return goes_down_;
}

void ShutdownKeeper::require_host_stays() const {
    if (goes_down())
        throw Error(Code::not_ready, "the host shuts down, so that no VM is started; try again after its next boot");
}

Moment ShutdownKeeper::guests_stop_by() const {
    const std::lock_guard lock(mutex_);
    return schedule_.stop_by;
}

void ShutdownKeeper::run(void (ShutdownKeeper::*work)()) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    threads_.emplace_back([this, work] {
        try {
            (this->*work)();
        } catch (...) {
            log::error("the shutdown or start of guests with their host failed", {{"error", current_error().details()}});
        }
    });
}

void ShutdownKeeper::hold_host() {
    if (settings_.stop_guests) parts_.host.hold_shutdown("guests are stopped first");
}

void ShutdownKeeper::on_shutdown() {
    const milliseconds budget = find_budget(), plug_share = std::min(longest_plug_share, budget / 3);
    const Moment end = parts_.clock.moment() + budget;
    {
        const std::lock_guard lock(mutex_);
        goes_down_ = true;
        if (settings_.stop_guests) schedule_ = {end - plug_share, end - plug_share / 2, end};
    }
    run(&ShutdownKeeper::shut_down);
}

void ShutdownKeeper::on_shutdown_called_off() {
    log::warning("the shutdown of the host was called off");
    {
        const std::lock_guard lock(mutex_);
        goes_down_ = false;
        schedule_ = {};
    }
    changed_.notify_all();
    parts_.report("HostShutdownCalledOff", "");
    hold_host();
    run(&ShutdownKeeper::bring_back);
}

milliseconds ShutdownKeeper::find_budget() const {
    const auto given = parts_.host.longest_hold();
    if (!given) return settings_.budget > milliseconds(0) ? settings_.budget : settings_.unknown;
    const milliseconds usable = std::max(*given - reserve, *given / 2);
    return settings_.budget > milliseconds(0) ? std::min(settings_.budget, usable) : usable;
}

void ShutdownKeeper::shut_down() {
    Schedule schedule;
    {
        const std::lock_guard lock(mutex_);
        schedule = schedule_;
    }
    const std::size_t running = list_running().size();
    const std::string plan = settings_.stop_guests ? "are stopped" : "are left as they are";
    log::warning("the host shuts down", {{"vms", running}, {"budget_ms", find_budget().count()}, {"guests", plan}});
    parts_.report("HostShutsDown", in_words(running, "VMs run here and ") + plan);
    if (settings_.stop_guests) {
        stop_guests(schedule.pull_at);
        pull_plugs(schedule.end);
        if (is_over()) return;
        const std::size_t left = list_running().size();
        log::info("the host may go down", {{"vms_that_run_still", left}});
        parts_.report("HostGuestsStopped",
                      in_words(running - std::min(left, running), "VMs were stopped, ") + in_words(left, "run still"));
    }
    parts_.host.let_shutdown_go();
}

// What is younger goes first, NeverStop VMs last; they come back the other way round.
std::vector<Vm> ShutdownKeeper::list_running() const {
    std::vector<Vm> running;
    for (Vm& vm : parts_.inventory.list<Vm>({{"intent", std::string(to_text(VmIntent::kept))}}))
        if (!is_off(vm.state())) running.push_back(std::move(vm));
    std::reverse(running.begin(), running.end());
    std::stable_partition(running.begin(), running.end(),
                          [this](const Vm& vm) { return parts_.inventory.system_tag(vm.uuid.str(), "ha") != "NeverStop"; });
    return running;
}

void ShutdownKeeper::stop_guests(Moment until) {
    std::set<VmId> asked;
    std::uint64_t known = 0;
    do {
        known = news();
        const std::vector<Vm> running = list_running();
        if (running.empty()) return;
        for (const Vm& vm : running)
            if (asked.insert(vm.uuid).second) stop_guest(vm, static_cast<std::int64_t>(asked.size()));
    } while (wait_for_change(known, until));
}

void ShutdownKeeper::stop_guest(const Vm& vm, std::int64_t order) {
    if (settings_.restart && !is_being_stopped(vm)) {
        parts_.inventory.modify<Vm>(vm.uuid, [&](Vm& record) {
            record.restart_order = order;
            record.restart_boot = parts_.host.boot_id();
        });
    }
    parts_.submit("StopVmInstance", {{"uuid", vm.uuid.str()}, {"type", "grace"}});
}

// Those whose stop is stuck behind another job, or in libvirt.
void ShutdownKeeper::pull_plugs(Moment until) {
    if (is_over()) return;
    for (const Vm& vm : list_running()) {
        log::warning("the plug is pulled: the host gives no more time", {{"vm", vm.uuid.str()}});
        const std::lock_guard lock(mutex_);
        threads_.emplace_back([this, id = vm.uuid] { pull_plug(id); });
    }
    std::uint64_t known = 0;
    do {
        known = news();
        if (list_running().empty()) return;
    } while (wait_for_change(known, until));
}

void ShutdownKeeper::pull_plug(const VmId& vm) {
    try {
        parts_.power.destroy(vm);
    } catch (...) {
        const Error error = current_error();
        log::error("the plug could not be pulled",
                   {{"vm", vm.str()}, {"machine", parts_.host.machine_name(vm)}, {"error", error.details()}});
    }
}

std::vector<Vm> ShutdownKeeper::list_marked() const {
    std::vector<Vm> marked;
    for (Vm& vm : parts_.inventory.list<Vm>())
        if (vm.restart_order > 0) marked.push_back(std::move(vm));
    std::sort(marked.begin(), marked.end(), [](const Vm& a, const Vm& b) { return a.restart_order > b.restart_order; });
    return marked;
}

// A mark is forgotten only when its job is on disk: killed in between, the daemon submits it again, which changes nothing.
void ShutdownKeeper::bring_back() {
    const std::string boot = parts_.host.boot_id();
    while (!parts_.states.connected()) {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, libvirt_look, [this] { return stopping_ || goes_down_; })) return;
    }
    for (const Vm& vm : list_marked()) {
        // The same boot: the host is still on its way down, or nobody can tell.
        if (vm.restart_boot == boot && parts_.host.goes_down() != false) continue;
        if (goes_down()) return;
        if (vm.intent == VmIntent::kept && settings_.restart) {
            log::info("a VM comes back that ran when the host went down", {{"vm", vm.uuid.str()}});
            parts_.submit("StartVmInstance", {{"uuid", vm.uuid.str()}});
        }
        forget_mark(vm.uuid);
    }
}

void ShutdownKeeper::forget_mark(const VmId& vm) {
    parts_.inventory.observe<Vm>(vm, [](Vm& record) {
        record.restart_order = 0;
        record.restart_boot.clear();
    });
}

std::uint64_t ShutdownKeeper::news() const {
    const std::lock_guard lock(mutex_);
    return news_;
}

bool ShutdownKeeper::wait_for_change(std::uint64_t known, Moment until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [&] { return stopping_ || !goes_down_ || news_ != known; });
    return !stopping_ && goes_down_ && parts_.clock.moment() < until;
}

bool ShutdownKeeper::is_over() const {
    const std::lock_guard lock(mutex_);
    return stopping_ || !goes_down_;
}

}  // namespace hvagent::state
