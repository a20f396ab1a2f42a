#include "agent/metrics/paced_vm_stats.h"

#include <algorithm>

namespace hvagent::metrics {

// A QEMU that does not answer has told nothing, and is not asked more often for that.
bool PacedVmStats::knows(const VmStats& vm) const {
    const auto known = known_.find(vm.vm);
    if (!vm.active) return true;
    return known != known_.end() && known->second.active && (known->second.rss || !vm.qemu_responds);
}

void PacedVmStats::remember(const std::vector<VmStats>& all) {
    known_.clear();
    for (const VmStats& vm : all) known_.emplace(vm.vm, vm);
    collected_ = clock_.moment();
}

void PacedVmStats::complete(VmStats& vm) const {
    const auto found = known_.find(vm.vm);
    if (!vm.active || !vm.qemu_responds || found == known_.end()) return;
    const VmStats& known = found->second;
    vm.vcpus = known.vcpus;
    vm.each_vcpu = known.each_vcpu;
    for (const auto member :
         {&VmStats::memory, &VmStats::maximum_memory, &VmStats::rss, &VmStats::guest_unused, &VmStats::guest_available,
          &VmStats::guest_usable, &VmStats::guest_disk_caches, &VmStats::swapped_in, &VmStats::swapped_out})
        vm.*member = known.*member;
    vm.major_faults = known.major_faults;
    vm.minor_faults = known.minor_faults;
}

PacedStats PacedVmStats::collect() {
    if (collected_ && clock_.moment() - *collected_ < pace_) {
        std::vector<VmStats> vms = source_.quick_stats();
        if (std::all_of(vms.begin(), vms.end(), [this](const VmStats& vm) { return knows(vm); })) {
            for (VmStats& vm : vms) complete(vm);
            return {std::move(vms), *collected_};
        }
    }
    PacedStats all{source_.stats(), clock_.moment()};
    remember(all.vms);
    return all;
}

}  // namespace hvagent::metrics
