// VMs on which a lost libvirt left something open: a snapshot that is Creating, CPUs or file systems held for a moment.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::state {

struct SettleSettings {
    milliseconds first_delay{1000};
    milliseconds longest_delay{300000};
};

// Thread-safe. Gives each such VM to a job, one at a time, until the job says that all is settled; the delay between two
// tries doubles, up to the longest.
class SettleKeeper {
public:
    struct Actions {
        std::function<JobId(const VmId&)> submit;
        std::function<bool(const JobId&)> is_over;
        std::function<bool()> sees_libvirt;
    };
    SettleKeeper(const inventory::Inventory& inventory, Timer& timer, const Clock& clock, SettleSettings settings,
                 Actions actions);
    // Takes up what an earlier life of the daemon left open.
    void start();
    // Something may be open. Cheap, does not block.
    void owe(const VmId& vm);
    void settled(const VmId& vm);
    // Call when the state of the VM changed, also when libvirt shows it again: it is tried soon. Cheap, does not block.
    void consider(const VmId& vm);

private:
    struct Debt {
        milliseconds delay{0};  // before the next try but one
        Moment due{};
        JobId job;
    };
    void try_soon(const VmId& vm, Debt& debt);
    void wake_at(const VmId& vm, Moment due);
    void act(const VmId& vm);
    // Empty: none yet. nullopt: nothing is due.
    std::optional<JobId> last_job_of_due(const VmId& vm);
    void put_off(const VmId& vm, const JobId& job);

    const inventory::Inventory& inventory_;
    Timer& timer_;
    const Clock& clock_;
    const SettleSettings settings_;
    const Actions actions_;
    std::mutex mutex_;
    std::map<VmId, Debt> debts_;
};

}  // namespace hvagent::state
