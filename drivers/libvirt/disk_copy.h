// Copies of the disks of a VM that runs, all of one moment.
#pragma once
#include <string>
#include <vector>

#include "drivers/libvirt/block_jobs.h"
#include "drivers/libvirt/device_events.h"

namespace hvagent::libvirt {

class DisksCopy {
public:
    DisksCopy(const DomainCalls& calls, const VmId& vm, const std::vector<DiskCopy>& copies, const BlockJobLimits& limits)
        : calls_(calls), vm_(vm), copies_(copies), limits_(limits) {}

    // See VmDisks::copy().
    bool run(const ProgressPercent& progress, Cancellation& cancel);

private:
    // Disks mirror into their targets from here on, until they are let go.
    void begin();
    struct Sight {
        bool all_alike = true;
        Bytes done = 0, total = 0;
    };
    Sight look();
    void wait_until_alike(DeviceEvents& events, const ProgressPercent& progress, Cancellation& cancel);
    bool let_go_together();
    void check_result(const DeviceEvents& events);
    void abort_all();

    const DomainCalls& calls_;
    const VmId vm_;
    const std::vector<DiskCopy>& copies_;
    const BlockJobLimits limits_;
    std::vector<std::string> targets_;  // "vda", as copies_
};

}  // namespace hvagent::libvirt
