#include "drivers/libvirt/libvirt_vm_observer.h"

#include <pthread.h>

#include <array>

#include "drivers/libvirt/event_subscription.h"
#include "drivers/libvirt/picture.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr milliseconds first_pause(50);
constexpr milliseconds longest_pause(400);
constexpr seconds patience_with_connecting(5);
// A kernel tries several ways, and SeaBIOS resets once more what was running before: each is an event.
constexpr seconds one_reboot(2);
// A libvirtd that has just started still finds out which QEMUs live, and tells nobody about those that died while it was
// away: looked at again soon after connecting, and from time to time for ever.
constexpr std::array<milliseconds, 5> audit_pauses{milliseconds(300), milliseconds(700), milliseconds(2000),
                                                   milliseconds(7000), milliseconds(60000)};

Moment now() {
    return std::chrono::steady_clock::now();
}

const char* watchdog_did(int action) {
    switch (action) {
        case VIR_DOMAIN_EVENT_WATCHDOG_NONE: return "nothing is done";
        case VIR_DOMAIN_EVENT_WATCHDOG_PAUSE: return "paused";
        case VIR_DOMAIN_EVENT_WATCHDOG_RESET: return "reset";
        case VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF: return "powered off";
        case VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN: return "asked to shut down";
        case VIR_DOMAIN_EVENT_WATCHDOG_DEBUG: return "debug";
        case VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI: return "interrupted (NMI)";
        default: return "unknown action";
    }
}

const StateAndReason off_for_no_reason{VmState::stopped, "unknown"};

bool is_off(const StateAndReason& state) {
    return state.state == VmState::stopped || state.state == VmState::crashed;
}

}  // namespace

LibvirtVmObserver::LibvirtVmObserver(std::shared_ptr<ConnectionSource> source, CallRunner& queries,
                                     std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts, const Clock& clock)
    : source_(std::move(source)), queries_(queries), owned_(std::move(owned)), timeouts_(timeouts), clock_(clock) {}

LibvirtVmObserver::~LibvirtVmObserver() {
    stop();
}

void LibvirtVmObserver::start(VmObserverListener& listener) {
    if (thread_.joinable()) throw Error(Code::internal, "the VM observer was started twice");
    listener_ = &listener;
    inbox_ = std::make_shared<ObserverInbox>();
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "vm-observer");
        run();
    });
}

void LibvirtVmObserver::stop() {
    if (!thread_.joinable()) return;
    inbox_->close();
    thread_.join();
}

std::optional<VmObservation> LibvirtVmObserver::look(const VmId& vm) {
    try {
        const auto shown =
            queries_.run({"look at", vm, false, true}, timeouts_.query, [vm, owned = owned_](Session& session) {
                const SharedDomain domain = session.domain(vm);
                if (!owned->owner_of(domain.get())) return std::optional<StateAndReason>();
                int state = VIR_DOMAIN_NOSTATE;
                int reason = 0;
                checked(virDomainGetState(domain.get(), &state, &reason, 0), "look at VM " + vm.str());
                return std::optional(state_of(state, reason));
            });
        if (!shown) return std::nullopt;
        return observation(vm, *shown);
    } catch (const Error& error) {
        if (error.code() == Code::not_found) return std::nullopt;
        throw;
    }
}

void LibvirtVmObserver::run() {
    calls_ = std::make_unique<CallThreads>(2);
    outage_told_ = false;
    pause_ = milliseconds(0);
    connect();
    while (!inbox_->closed()) {
        if (auto item = inbox_->next(next_turn_)) {
            std::visit([this](auto& arrived) { handle(std::move(arrived)); }, *item);
        } else if (now() >= next_turn_) {
            take_turn();
        }
    }
    connected_.store(false, std::memory_order_release);
    drop_connection();
    calls_.reset();
    seen_.clear();
}

void LibvirtVmObserver::take_turn() {
    next_turn_ = Moment::max();
    if (subscription_)
        ask_for_audit();
    else if (connecting_)
        tell_outage("libvirt accepts connections but does not answer");
    else
        connect();
}

void LibvirtVmObserver::connect() {
    ++life_;
    early_.clear();
    connecting_ = true;
    next_turn_ = now() + patience_with_connecting;
    calls_->submit([life = life_, source = source_, owned = owned_, inbox = inbox_] {
        try {
            auto subscription = std::make_shared<EventSubscription>(source->open(), inbox, life);
            auto picture = take_first_picture(subscription->connection().get(), *owned);
            inbox->push(Connected{life, std::move(subscription), std::move(picture)});
        } catch (const std::exception&) {
            inbox->push(ConnectFailed{life, current_error().details()});
        }
    });
}

void LibvirtVmObserver::ask_for_audit() {
    calls_->submit([life = life_, subscription = subscription_, owned = owned_, inbox = inbox_] {
        try {
            const std::int64_t asked_after = inbox->events_so_far();
            inbox->push(Audit{life, asked_after, take_picture(subscription->connection().get(), *owned)});
        } catch (const std::exception&) {
            inbox->push(ConnectionLost{life, current_error().details()});
        }
    });
}

// Closing asks libvirt too, and hangs with it.
void LibvirtVmObserver::drop_connection() {
    if (subscription_) calls_->submit([dropped = std::move(subscription_)]() mutable { dropped.reset(); });
    subscription_.reset();
}

void LibvirtVmObserver::retry_later() {
    pause_ = pause_.count() == 0 ? first_pause : std::min(pause_ * 2, longest_pause);
    next_turn_ = now() + pause_;
}

void LibvirtVmObserver::lost(const std::string& reason) {
    connected_.store(false, std::memory_order_release);
    drop_connection();
    early_.clear();
    tell_outage(reason);
    retry_later();
}

// Once per outage.
void LibvirtVmObserver::tell_outage(const std::string& reason) {
    if (std::exchange(outage_told_, true)) return;
    log::warning("libvirt is silent", {{"uri", source_->uri()}, {"reason", reason}});
    listener_->on_disconnected(reason);
}

void LibvirtVmObserver::handle(Connected item) {
    if (item.life != life_) return;
    connecting_ = false;
    subscription_ = std::move(item.subscription);
    std::vector<VmObservation> picture;
    std::vector<VmId> present;
    const auto before = std::exchange(seen_, {});
    for (SeenDomain& domain : item.picture) {
        // A restarted libvirtd has forgotten why a VM is off or its disk failed; we have not.
        const auto old = before.find(domain.vm);
        if (old != before.end() && is_off(old->second.state) && domain.state == off_for_no_reason)
            domain.state = old->second.state;
        if (old != before.end() && old->second.state.reason == no_space_reason && domain.state.reason == io_error_reason)
            domain.state.reason = no_space_reason;
        seen_[domain.vm] = Seen{domain.state};
        present.push_back(domain.vm);
        picture.push_back(observation(domain.vm, domain.state));
        picture.back().held = domain.held;
    }
    owned_->keep_only(present);
    pause_ = milliseconds(0);
    outage_told_ = false;
    audits_ = 0;
    next_turn_ = now() + audit_pauses[0];
    connected_.store(true, std::memory_order_release);
    log::info("connected to libvirt", {{"uri", source_->uri()}, {"vms", picture.size()}});
    if (connected_hook_) connected_hook_();
    listener_->on_connected(std::move(picture));
    for (const DomainEvent& event : std::exchange(early_, {})) deliver(event);
}

void LibvirtVmObserver::handle(ConnectFailed item) {
    if (item.life != life_) return;
    connecting_ = false;
    lost(item.reason);
}

void LibvirtVmObserver::handle(ConnectionLost item) {
    if (item.life != life_) return;
    // Without one, the connection broke while its picture was taken: that call fails and tells.
    if (subscription_) lost(item.reason);
}

void LibvirtVmObserver::handle(DomainEvent item) {
    if (item.life != life_) return;
    if (subscription_)
        deliver(item);
    else
        early_.push_back(std::move(item));
}

void LibvirtVmObserver::handle(Audit item) {
    if (item.life != life_ || !subscription_) return;
    audits_ = std::min(audits_ + 1, audit_pauses.size() - 1);
    next_turn_ = now() + audit_pauses[audits_];
    // What is not in the list is off; it was transient, or its events were missed.
    std::unordered_map<VmId, StateAndReason> shown;
    for (const auto& [vm, seen] : seen_)
        if (!is_off(seen.state)) shown[vm] = StateAndReason{VmState::stopped, "gone"};
    for (SeenDomain& domain : item.states) shown[domain.vm] = std::move(domain.state);
    for (const auto& [vm, state] : shown) correct(vm, state, item.asked_after);
}

void LibvirtVmObserver::correct(const VmId& vm, const StateAndReason& state, std::int64_t asked_after) {
    Seen& seen = seen_[vm];
    // An event that came since is newer than what was asked for before it, and a start tells when it is through.
    if (seen.last_event > asked_after || seen.state.state == state.state || state.reason == starting_up) return;
    log::warning(
        "a VM's state changed without an event",
        {{"vm", vm.str()}, {"was", to_text(seen.state.state)}, {"is", to_text(state.state)}, {"reason", state.reason}});
    seen.state = state;
    deliver_state(vm, state);
}

bool LibvirtVmObserver::is_ours(const DomainEvent& event) {
    if (seen_.contains(event.vm)) return true;
    try {
        const auto owner = queries_.run(
            {"read the owner's mark of", event.vm, false, true}, timeouts_.query,
            [vm = event.vm, owned = owned_](Session& session) { return owned->owner_of(session.domain(vm).get()); });
        return owner.has_value();
    } catch (const Error& error) {
        if (error.code() != Code::not_found)
            log::warning("an event was dropped: its domain cannot be looked at",
                         {{"vm", event.vm.str()}, {"error", error.details()}});
        return false;
    }
}

void LibvirtVmObserver::deliver(const DomainEvent& event) {
    if (event.kind == DomainEvent::Kind::lifecycle && event.event == VIR_DOMAIN_EVENT_DEFINED && !seen_.contains(event.vm))
        owned_->forget(event.vm);  // the mark may have been added
    if (!is_ours(event)) return;
    switch (event.kind) {
        case DomainEvent::Kind::lifecycle: return deliver_lifecycle(event);
        case DomainEvent::Kind::reboot: return deliver_reset(event.vm);
        case DomainEvent::Kind::io_error:
            seen_[event.vm].lacked_space = event.detail == 1;
            return deliver_sign(VmEventKind::io_error, event.vm, event.text);
        case DomainEvent::Kind::watchdog:
            seen_[event.vm].watchdog = event.event;
            return deliver_sign(VmEventKind::watchdog_fired, event.vm, watchdog_did(event.event));
        case DomainEvent::Kind::guest_agent:
            // Said of every VM that starts.
            if (event.detail == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED) return;
            const bool up = event.event == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
            return deliver_sign(up ? VmEventKind::guest_agent_connected : VmEventKind::guest_agent_disconnected, event.vm,
                                up ? "guest agent connected" : "guest agent disconnected");
    }
}

void LibvirtVmObserver::deliver_reset(const VmId& vm) {
    Seen& seen = seen_[vm];
    const bool is_same_reboot = now() - std::exchange(seen.last_reset, now()) < one_reboot;
    // QEMU tells of every reset alike.
    const bool by_watchdog = std::exchange(seen.watchdog, std::nullopt) == VIR_DOMAIN_EVENT_WATCHDOG_RESET;
    if (!is_same_reboot && !by_watchdog) deliver_sign(VmEventKind::rebooted_by_guest, vm, "rebooted by guest");
}

void LibvirtVmObserver::deliver_lifecycle(const DomainEvent& event) {
    Seen& seen = seen_[event.vm];
    seen.last_event = event.number;
    if (event.event == VIR_DOMAIN_EVENT_DEFINED) {
        seen.undefined = false;
        if (seen.state.state == VmState::no_state) seen.state = {VmState::stopped, "defined"};
    } else if (event.event == VIR_DOMAIN_EVENT_UNDEFINED) {
        seen.undefined = true;
    }
    std::optional<StateAndReason> state = state_after(event.event, event.detail);
    if (state) {
        if (state->reason == io_error_reason && seen.lacked_space) state->reason = no_space_reason;
        // QEMU quits without a word, which libvirt takes for a crash.
        const auto fired = std::exchange(seen.watchdog, std::nullopt);
        if (fired == VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF && is_off(*state))
            *state = {VmState::crashed, std::string(watchdog_reason)};
        seen.state = *state;
        deliver_state(event.vm, *state);
    }
    if (seen.undefined && is_off(seen.state)) {
        owned_->forget(event.vm);
        seen_.erase(event.vm);
    }
}

void LibvirtVmObserver::deliver_state(const VmId& vm, const StateAndReason& state) {
    listener_->on_event(VmEvent{VmEventKind::state, observation(vm, state)});
}

void LibvirtVmObserver::deliver_sign(VmEventKind kind, const VmId& vm, std::string reason) {
    VmObservation seen = observation(vm, seen_[vm].state);
    seen.reason = std::move(reason);
    listener_->on_event(VmEvent{kind, std::move(seen)});
}

VmObservation LibvirtVmObserver::observation(const VmId& vm, const StateAndReason& state) const {
    return VmObservation{vm, state.state, state.reason, clock_.now()};
}

}  // namespace hvagent::libvirt
