// Figures of VMs, each group at the pace its price deserves.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/drivers/vm_stats.h"

namespace hvagent::metrics {

struct PacedStats {
    std::vector<VmStats> vms;
    Moment slow_collected{};  // when the balloon's figures and those of each virtual CPU were
};

// libvirt asks QEMU twice more for the figures of the balloon and of each virtual CPU, which is half the price of all: they
// are asked for once in `pace`, and when there is a VM whose are not known yet. For one thread at a time.
class PacedVmStats {
public:
    PacedVmStats(VmStatsSource& source, const Clock& clock, milliseconds pace)
        : source_(source), clock_(clock), pace_(pace) {}
    PacedStats collect();

private:
    bool knows(const VmStats& vm) const;
    void remember(const std::vector<VmStats>& all);
    void complete(VmStats& vm) const;

    VmStatsSource& source_;
    const Clock& clock_;
    const milliseconds pace_;
    std::map<VmId, VmStats> known_;  // of the last full collection
    std::optional<Moment> collected_;
};

}  // namespace hvagent::metrics
