#pragma once
#include <memory>

#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/domain_xml/domain_disks.h"
#include "drivers/libvirt/host_profile_source.h"
#include "hvagent/drivers/disk_images.h"
#include "hvagent/drivers/vm_disks.h"

namespace hvagent::libvirt {

class LibvirtVmDisks final : public VmDisks {
public:
    // `images` makes the files of new layers: libvirt would make files that only QEMU's user can read.
    LibvirtVmDisks(DomainCalls calls, std::shared_ptr<HostProfileSource> profile, DiskImages& images)
        : calls_(std::move(calls)), profile_(std::move(profile)), images_(images) {}

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
    void let_go(const VmId& vm) override;

private:
    const DomainCalls calls_;
    const std::shared_ptr<HostProfileSource> profile_;
    DiskImages& images_;
};

}  // namespace hvagent::libvirt
