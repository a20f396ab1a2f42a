// Figures of VMs as a test sets them.
#pragma once
#include <mutex>
#include <vector>

#include "hvagent/drivers/vm_stats.h"
#include "tests/fakes/faults.h"

namespace hvagent {

class FakeVmStats final : public VmStatsSource {
public:
    std::vector<VmStats> stats() override {
        faults.happen("stats");
        const std::lock_guard lock(mutex_);
        ++calls_;
        return stats_;
    }
    void set(std::vector<VmStats> stats) {
        const std::lock_guard lock(mutex_);
        stats_ = std::move(stats);
    }
    int calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

    Faults faults;

private:
    mutable std::mutex mutex_;
    std::vector<VmStats> stats_;
    int calls_ = 0;
};

}  // namespace hvagent
