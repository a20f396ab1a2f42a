#include "agent/state/guest_watch.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "agent/state/guest_part.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::state {

GuestWatch::GuestWatch(VmObserverListener& next, VmGuests& guests, const Clock& clock, GuestWatchSettings settings,
                       std::function<void(const VmId&, const KnownGuest&)> tell)
    : next_(next), guests_(guests), clock_(clock), settings_(std::move(settings)), tell_(std::move(tell)) {}

GuestWatch::~GuestWatch() {
    stop();
}

void GuestWatch::start() {
    for (std::size_t i = 0; i < settings_.threads; ++i)
        threads_.emplace_back([this] {
            pthread_setname_np(pthread_self(), "guest-watch");
            run();
        });
}

void GuestWatch::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

std::optional<KnownGuest> GuestWatch::known_of(const VmId& vm) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(vm);
    return found == known_.end() ? std::nullopt : found->second.told;
}

void GuestWatch::on_connected(std::vector<VmObservation> picture) {
    {
        const std::lock_guard lock(mutex_);
        connected_ = true;
        Guests before = std::exchange(known_, {});
        for (const VmObservation& seen : picture) {
            if (seen.state != VmState::running && seen.state != VmState::paused) continue;
            Guest& guest = known_[seen.vm];
            if (const auto old = before.find(seen.vm); old != before.end()) guest = std::move(old->second);
            guest.runs = seen.state == VmState::running;
            guest.event = ++events_;
            // A libvirtd that has just come has more urgent things to do.
            if (guest.runs) expect_news(guest, 1);
        }
    }
    next_.on_connected(std::move(picture));
    changed_.notify_all();
}

void GuestWatch::on_event(const VmEvent& event) {
    // What was known of a guest ends before its VM is said to be off.
    if (event.kind == VmEventKind::state) follow_state(event.observation);
    next_.on_event(event);
    const bool is_of_agent =
        event.kind == VmEventKind::guest_agent_connected || event.kind == VmEventKind::guest_agent_disconnected;
    if (is_of_agent || event.kind == VmEventKind::rebooted_by_guest) {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(event.observation.vm);
        if (found == known_.end() || !found->second.runs) return;
        found->second.event = ++events_;
        expect_news(found->second, 0);
    }
    changed_.notify_one();
}

void GuestWatch::on_disconnected(const std::string& reason) {
    {
        const std::lock_guard lock(mutex_);
        connected_ = false;
    }
    next_.on_disconnected(reason);
}

void GuestWatch::follow_state(const VmObservation& seen) {
    const std::lock_guard lock(mutex_);
    const bool runs = seen.state == VmState::running;
    if (!runs && seen.state != VmState::paused) {
        known_.erase(seen.vm);
        return;
    }
    Guest& guest = known_[seen.vm];
    if (guest.runs == runs) return;
    guest.runs = runs;
    guest.event = ++events_;
    // A guest that has just begun has no agent yet.
    if (runs)
        expect_news(guest, guest.told ? 0 : 1);
    else
        guest.due = Moment::max();
}

void GuestWatch::expect_news(Guest& guest, std::size_t step) {
    guest.step = std::min(step, settings_.pauses.size() - 1);
    const Moment now = clock_.moment();
    guest.due = now + settings_.pauses[guest.step];
    if (guest.last_look != Moment{}) guest.due = std::max(guest.due, guest.last_look + settings_.calm);
}

GuestWatch::Guests::iterator GuestWatch::find_due(Moment& next) {
    const Moment now = clock_.moment();
    const bool has_room_for_deaf = deaf_looks_ < std::max<std::size_t>(1, settings_.threads / 2);
    auto first = known_.end();
    next = now + settings_.every;
    for (auto guest = known_.begin(); guest != known_.end(); ++guest) {
        const Guest& one = guest->second;
        if (!one.runs || one.is_looked_at || (one.is_deaf && !has_room_for_deaf)) continue;
        next = std::min(next, one.due);
        if (one.due <= now && (first == known_.end() || one.due < first->second.due)) first = guest;
    }
    return first;
}

void GuestWatch::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        Moment next{};
        const auto due = connected_ ? find_due(next) : known_.end();
        if (due != known_.end()) {
            look(lock, VmId(due->first));
        } else if (connected_) {
            changed_.wait_for(lock, std::max<Moment::duration>(next - clock_.moment(), milliseconds(1)));
        } else {
            changed_.wait(lock);
        }
    }
}

void GuestWatch::look(std::unique_lock<std::mutex>& lock, const VmId& vm) {
    Guest& guest = known_[vm];
    const bool was_deaf = guest.is_deaf;
    const std::uint64_t last_event = guest.event;
    guest.is_looked_at = true;
    guest.last_look = clock_.moment();
    guest.step = std::min(guest.step + 1, settings_.pauses.size());
    guest.due = guest.last_look + (guest.step < settings_.pauses.size() ? settings_.pauses[guest.step] : settings_.every);
    deaf_looks_ += was_deaf ? 1 : 0;
    lock.unlock();
    std::optional<GuestSight> sight;
    try {
        sight = guests_.look(vm);
    } catch (...) {
        log::debug("a guest cannot be looked at", {{"vm", vm.str()}, {"error", current_error().details()}});
    }
    keep(vm, last_event, sight);
    lock.lock();
    deaf_looks_ -= was_deaf ? 1 : 0;
    if (const auto found = known_.find(vm); found != known_.end()) found->second.is_looked_at = false;
    changed_.notify_all();
}

// Nothing seen: libvirt did not answer for this VM, which says nothing about its guest.
void GuestWatch::keep(const VmId& vm, std::uint64_t last_event, const std::optional<GuestSight>& sight) {
    const std::lock_guard in_order(telling_);
    KnownGuest news;
    {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(vm);
        if (found == known_.end()) return;
        Guest& guest = found->second;
        guest.is_deaf = !sight || !sight->agent_failure.empty();
        if (!sight || !sight->active || guest.event != last_event) return;
        news = {guest_part(*sight), clock_.now()};
        // Of a guest that has said nothing yet there is nothing to say.
        if (!guest.told && !sight->agent_connected && news.part["addresses"].empty()) return;
        const bool is_known = guest.told && guest.told->part == news.part;
        guest.told = news;
        if (is_known) return;
    }
    tell_(vm, news);
}

}  // namespace hvagent::state
