// The figures of all VMs in a few calls side by side, which no frozen QEMU holds up.
//
// libvirt asks one QEMU after the other and waits for each without end: a call that comes to a frozen one stays there. But
// it then holds that VM's job, and a second call with NOWAIT passes it by. So each call is given little time, left where it
// hangs, and made again; as long as it hangs, later ones pass.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/owned_domains.h"
#include "hvagent/drivers/vm_stats.h"

namespace hvagent::libvirt {

class LibvirtVmStats final : public VmStatsSource {
public:
    // `runner`: of its own, for a call may hang for hours.
    LibvirtVmStats(CallRunner& runner, std::shared_ptr<OwnedDomains> owned);
    std::vector<VmStats> stats() override;
    std::vector<VmStats> quick_stats() override;

private:
    std::vector<VmStats> collect(unsigned groups);
    std::vector<VmStats> collect_slice(const std::vector<VmId>& vms, unsigned groups);
    std::vector<VmStats> ask(const std::vector<VmId>& vms, unsigned groups, milliseconds patience);
    milliseconds patience() const;
    std::size_t hanging();

    CallRunner& runner_;
    const std::shared_ptr<OwnedDomains> owned_;
    std::atomic<std::int64_t> usual_us_;  // what the last call took
    std::mutex mutex_;
    std::vector<std::weak_ptr<void>> left_;  // calls that were given up; expired: they have ended
};

}  // namespace hvagent::libvirt
