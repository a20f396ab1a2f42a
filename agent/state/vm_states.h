// The inventory follows the host: what libvirt shows is written down as it happens, and jobs wait for it here.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/inventory/inventory.h"
#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/vm_observer.h"

namespace hvagent::state {

// Thread-safe. Implements the listener of the VM observer.
class VmStates final : public VmObserverListener {
public:
    VmStates(inventory::Inventory& inventory, VmObserver& observer, const Clock& clock, HostId host);

    // At start, before any job: transitions of an earlier life are over, and every VM that may run is Unknown until libvirt
    // showed it.
    void begin();

    void on_connected(std::vector<VmObservation> picture) override;
    void on_event(const VmEvent& event) override;
    void on_disconnected(const std::string& reason) override;

    bool connected() const;
    // Waits at most `patience` for libvirt. Error(host_connection) tells that nothing was begun.
    void wait_connected(milliseconds patience) const;

    // Waits until the VM is seen in one of `states`. False when `until` passed; throws when cancelled.
    bool wait_until(const VmId& vm, const std::vector<VmState>& states, Moment until, Cancellation& cancel);

    // What the host shows now, written down. nullopt: libvirt did not answer, or the VM is not seen here and may have moved
    // to another host; it is Unknown.
    std::optional<VmState> look(const VmId& vm);

    // Called with each VM whose guest agent came or went, or that was rebooted by its guest. Set before start.
    void on_guest_event(std::function<void(const VmEvent&)> listener) { guest_listener_ = std::move(listener); }
    // Called with each VM that a new connection to libvirt shows held; see VmDisks::let_go(). Set before start.
    void on_held(std::function<void(const VmId&)> listener) { held_listener_ = std::move(listener); }

private:
    friend class Transition;
    // A call of ours that an event will echo: the job writes the state itself, and what comes after the echo is news that
    // the job must not overwrite.
    struct Echo {
        VmState state;
        Moment expires;
        bool seen = false;
        bool overtaken = false;
        bool outdated = false;  // a later job works on the VM: the echo says nothing about now
    };
    void expect_echo(const VmId& vm, VmState state);
    void outdate_echoes(const VmId& vm);
    void forget_echo(const VmId& vm);
    // The echo that this event is; nullopt when it is none.
    std::optional<Echo> match_echo(const VmId& vm, VmState state);
    void write_echo(const VmObservation& observation);
    bool was_overtaken(const VmId& vm);
    void write(const VmObservation& observation);
    void forget_all(const std::string& reason);
    void announce();

    inventory::Inventory& inventory_;
    VmObserver& observer_;
    const Clock& clock_;
    const HostId host_;
    std::function<void(const VmEvent&)> guest_listener_;
    std::function<void(const VmId&)> held_listener_;

    std::mutex order_;  // an event, and the end of a transition, are judged and written as one; taken before mutex_
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::uint64_t news_ = 0;  // counts what may have changed a state; waiters compare it
    bool connected_ = false;
    std::string silence_ = "libvirt was not reached yet";
    std::map<VmId, std::deque<Echo>> echoes_;
};

// A VM on its way: shows the transitional state while it lives. Without arrived() it looks at the truth at its end.
class Transition {
public:
    Transition(VmStates& states, VmId vm, VmState via);
    ~Transition();
    Transition(const Transition&) = delete;
    Transition& operator=(const Transition&) = delete;

    // Call before the host is told: its event must not overtake what the job writes.
    void heading_for(VmState state) { states_.expect_echo(vm_, state); }
    // The host did it: ends the transition with this state. `also` changes more of the record in the same write.
    void arrived(VmState state, const std::string& reason, const std::function<void(Vm&)>& also = {});

private:
    VmStates& states_;
    VmId vm_;
    bool arrived_ = false;
};

// References for the job engine: a VM whose state is Unknown because libvirt is silent is waited for.
class PatientReferences final : public api::References {
public:
    PatientReferences(const inventory::Inventory& inventory, const VmStates& states, milliseconds patience)
        : inventory_(inventory), states_(states), patience_(patience) {}
    bool exists(std::string_view resource, const std::string& uuid) const override {
        return inventory_.exists(resource, uuid);
    }
    std::optional<VmState> vm_state(const VmId& vm) const override {
        states_.wait_connected(patience_);
        return inventory_.vm_state(vm);
    }
    std::string fate(std::string_view resource, const std::string& uuid) const override {
        return inventory_.fate(resource, uuid);
    }

private:
    const inventory::Inventory& inventory_;
    const VmStates& states_;
    const milliseconds patience_;
};

}  // namespace hvagent::state
