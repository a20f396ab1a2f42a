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
    std::vector<VmStats> quick_stats() override {
        faults.happen("quick_stats");
        const std::lock_guard lock(mutex_);
        ++quick_calls_;
        std::vector<VmStats> quick = stats_;
        for (VmStats& one : quick) {
            one.memory = one.maximum_memory = one.rss = std::nullopt;
            one.each_vcpu.clear();
        }
        return quick;
    }
    void set(std::vector<VmStats> stats) {
        const std::lock_guard lock(mutex_);
        stats_ = std::move(stats);
    }
    int calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    int quick_calls() const {
        const std::lock_guard lock(mutex_);
        return quick_calls_;
    }

    Faults faults;

private:
    mutable std::mutex mutex_;
    std::vector<VmStats> stats_;
    int calls_ = 0;
    int quick_calls_ = 0;
};

}  // namespace hvagent
