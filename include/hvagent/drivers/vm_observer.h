// What the host shows about VMs: a whole picture on demand and every change as it happens.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/ids.h"
#include "hvagent/model/vm.h"

namespace hvagent {

// Reason of a VM that its watchdog paused or powered off; the latter is Crashed.
inline constexpr std::string_view watchdog_reason = "watchdog";

struct VmObservation {
    VmId vm;
    VmState state = VmState::unknown;  // running, paused, stopped, crashed, no_state
    std::string reason;                // "booted", "destroyed", "shutdown", "I/O error"...; see vm.h
    Time at{};
    bool held = false;  // of a picture: see VmDisks::let_go()
};

// What happened, beside the state it led to.
// io_error and watchdog_fired carry the state before them; where they pause or end the VM, a `state` event says so. A reset
// by the watchdog is no reboot by the guest.
enum class VmEventKind {
    state,
    rebooted_by_guest,
    guest_agent_connected,
    guest_agent_disconnected,
    io_error,
    watchdog_fired
};

struct VmEvent {
    VmEventKind kind = VmEventKind::state;
    VmObservation observation;
};

class VmObserverListener {
public:
    virtual ~VmObserverListener() = default;
    // Called from one thread, in order, and must not block. `picture` holds every domain with our mark: those
    // missing are off. Called after each (re)connection, before the first event of that connection.
    virtual void on_connected(std::vector<VmObservation> picture) = 0;
    virtual void on_event(const VmEvent& event) = 0;
    // libvirt is silent: nothing is known until on_connected.
    virtual void on_disconnected(const std::string& reason) = 0;
};

class VmObserver {
public:
    virtual ~VmObserver() = default;
    // Connects, and reconnects for ever with back-off, until stop(). `listener` must outlive the observer.
    virtual void start(VmObserverListener& listener) = 0;
    virtual void stop() = 0;
    virtual bool connected() const = 0;
    // Asks libvirt about one VM now; nullopt when there is no such domain. Throws like VmPower.
    virtual std::optional<VmObservation> look(const VmId& vm) = 0;
};

}  // namespace hvagent
