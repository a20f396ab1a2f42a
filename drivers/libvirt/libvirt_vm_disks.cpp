#include "drivers/libvirt/libvirt_vm_disks.h"

#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {
[[noreturn]] void not_yet() {
    throw Error(Code::unimplemented, "not yet");
}
}  // namespace
LibvirtVmDisks::LibvirtVmDisks(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned,
                               CallTimeouts timeouts)
    : work_(work), queries_(queries), owned_(std::move(owned)), timeouts_(timeouts) {}
std::optional<LiveDisks> LibvirtVmDisks::look(const VmId&) {
    not_yet();
}
void LibvirtVmDisks::attach(const VmId&, const DiskSpec&) {
    not_yet();
}
void LibvirtVmDisks::detach(const VmId&, const VolumeId&, milliseconds, Cancellation&) {
    not_yet();
}
void LibvirtVmDisks::change_medium(const VmId&, const CdRomSpec&, bool) {
    not_yet();
}
void LibvirtVmDisks::resize(const VmId&, const VolumeId&, Bytes) {
    not_yet();
}
void LibvirtVmDisks::set_throttle(const VmId&, const VolumeId&, const DiskThrottle&) {
    not_yet();
}
bool LibvirtVmDisks::freeze_layers(const VmId&, const std::vector<NewLayer>&) {
    not_yet();
}
void LibvirtVmDisks::pull(const VmId&, const VolumeId&, const std::string&, const BlockJobLimits&, const ProgressPercent&,
                          Cancellation&) {
    not_yet();
}
bool LibvirtVmDisks::copy(const VmId&, const std::vector<DiskCopy>&, const BlockJobLimits&, const ProgressPercent&,
                          Cancellation&) {
    not_yet();
}
void LibvirtVmDisks::abort_block_job(const VmId&, const VolumeId&) {
    not_yet();
}
}  // namespace hvagent::libvirt
