#pragma once
#include <memory>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/owned_domains.h"
#include "hvagent/drivers/vm_disks.h"

namespace hvagent::libvirt {

class LibvirtVmDisks final : public VmDisks {
public:
    LibvirtVmDisks(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts);

    std::optional<LiveDisks> look(const VmId& vm) override;
    void attach(const VmId& vm, const DiskSpec& disk) override;
    void detach(const VmId& vm, const VolumeId& volume, milliseconds patience, Cancellation& cancel) override;
    void change_medium(const VmId& vm, const CdRomSpec& cdrom, bool force) override;
    void resize(const VmId& vm, const VolumeId& volume, Bytes size) override;
    void set_throttle(const VmId& vm, const VolumeId& volume, const DiskThrottle& throttle) override;
    bool freeze_layers(const VmId& vm, const std::vector<NewLayer>& layers) override;
    void pull(const VmId& vm, const VolumeId& volume, const std::string& base, const BlockJobLimits& limits,
              const ProgressPercent& progress, Cancellation& cancel) override;
    bool copy(const VmId& vm, const std::vector<DiskCopy>& copies, const BlockJobLimits& limits,
              const ProgressPercent& progress, Cancellation& cancel) override;
    void abort_block_job(const VmId& vm, const VolumeId& volume) override;

private:
    CallRunner& work_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const CallTimeouts timeouts_;
};

}  // namespace hvagent::libvirt
