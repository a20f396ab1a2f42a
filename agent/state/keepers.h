// What the daemon does on its own, through jobs like everybody: starts NeverStop VMs that are found down, and expunges
// what was deleted when its time is over.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

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

// A kind of thing that is put aside when it is deleted, and goes for good after a while.
struct Expiring {
    struct PutAside {
        nlohmann::json arguments;  // of the operation
        Time since;
    };
    std::string operation;  // that expunges one
    seconds lifetime;
    std::function<std::vector<PutAside>()> list;
};

// VMs that were destroyed, and what else waits for its end.
std::vector<Expiring::PutAside> destroyed_vms(const inventory::Inventory& inventory);
std::vector<Expiring::PutAside> deleted_volumes(const inventory::Inventory& inventory);
std::vector<Expiring::PutAside> deleted_images(const inventory::Inventory& inventory);  // each backup storage by itself

// Looks once a minute at most, and exactly when the next one expires.
class ExpiryKeeper {
public:
    using Submit = std::function<void(const std::string& operation, const nlohmann::json& arguments)>;
    ExpiryKeeper(Timer& timer, const Clock& clock, std::vector<Expiring> kinds, Submit submit);
    void start() { check(); }

private:
    void check();
    Time expunge_expired(const Expiring& kind, Time now);  // when the next one is due, or the next look
    void expunge(const Expiring& kind, const Expiring::PutAside& one);

    Timer& timer_;
    const Clock& clock_;
    const std::vector<Expiring> kinds_;
    const Submit submit_;
};

}  // namespace hvagent::state
