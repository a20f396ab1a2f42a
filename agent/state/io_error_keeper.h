// VMs that QEMU paused because a disk failed: resumed when their storage works again, or stopped, or left, as each wants.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "agent/inventory/inventory.h"
#include "agent/state/storage_trials.h"
#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::state {

struct IoErrorSettings {
    std::string policy = "resume";  // "resume", "leave" or "stop": of VMs without the system tag ioErrorPolicy
    milliseconds first_delay{1000};
    milliseconds longest_delay{60000};
    milliseconds calm{60000};  // a VM that ran so long has its delay reset
    Bytes room = 64 * MiB;     // that must be free on each storage of the VM
};

// Thread-safe. Before a VM is resumed, each storage its volumes lie on must take a small write and have room. The delay
// between two tries doubles, up to the longest, also when the VM runs and is paused again at once.
class IoErrorKeeper {
public:
    struct Actions {
        std::function<void(const VmId&)> resume;  // must leave a VM alone that is paused for another reason by then
        std::function<void(const VmId&)> stop;
    };
    IoErrorKeeper(const inventory::Inventory& inventory, Timer& timer, const Clock& clock, StorageTrials& trials,
                  IoErrorSettings settings, Actions actions);
    // Call when the state of the VM changed; cheap, does not block.
    void consider(const VmId& vm);

private:
    struct Tries {
        milliseconds delay{0};
        Moment last_resume{};
        bool waiting = false;
    };
    struct Look;  // at all storages of a VM

    bool is_waiting(const VmId& vm) const;
    void try_again_later(const VmId& vm);
    void act(const VmId& vm);
    void look_at_storages(const VmId& vm);
    void judge(const VmId& vm, const std::string& why_not);
    void give_to_job(const VmId& vm, const std::function<void(const VmId&)>& action);
    std::string policy_of(const VmId& vm) const;
    std::map<std::string, std::string> storages_of(const VmId& vm) const;

    const inventory::Inventory& inventory_;
    Timer& timer_;
    const Clock& clock_;
    StorageTrials& trials_;
    const IoErrorSettings settings_;
    const Actions actions_;
    std::mutex mutex_;
    std::map<VmId, Tries> tries_;
};

}  // namespace hvagent::state
