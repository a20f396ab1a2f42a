// What the daemon does on its own, through jobs like everybody: starts NeverStop VMs that are found down, and expunges
// destroyed VMs whose time is over.
#pragma once
#include <functional>
#include <map>
#include <mutex>

#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::state {

struct HaSettings {
    milliseconds first_delay{1000};
    milliseconds longest_delay{300000};
    milliseconds calm{60000};  // a VM that ran so long has its delay reset
};

// Thread-safe. Watches the inventory; a VM with tag ha::NeverStop that should run and is down is started after a delay
// that doubles with each try.
class HaKeeper {
public:
    HaKeeper(inventory::Inventory& inventory, Timer& timer, const Clock& clock, HaSettings settings,
             std::function<void(const VmId&)> start_vm);
    // Call when the state of the VM changed, or its HA level did; cheap, does not block.
    void consider(const VmId& vm);
    void consider_all();

private:
    struct Tries {
        milliseconds delay{0};
        Moment last_start{};
        bool waiting = false;
    };
    bool is_due(const VmId& vm) const;
    void forget_removed(const VmId& vm);
    void start(const VmId& vm);

    inventory::Inventory& inventory_;
    Timer& timer_;
    const Clock& clock_;
    const HaSettings settings_;
    const std::function<void(const VmId&)> start_vm_;
    std::mutex mutex_;
    std::map<VmId, Tries> tries_;
};

// Looks at the destroyed VMs once a minute at most, and exactly when the next one expires.
class ExpiryKeeper {
public:
    ExpiryKeeper(inventory::Inventory& inventory, Timer& timer, const Clock& clock, seconds lifetime,
                 std::function<void(const VmId&)> expunge_vm);
    void start() { check(); }

private:
    void check();
    void expunge(const VmId& vm);

    inventory::Inventory& inventory_;
    Timer& timer_;
    const Clock& clock_;
    const seconds lifetime_;
    const std::function<void(const VmId&)> expunge_vm_;
};

}  // namespace hvagent::state
