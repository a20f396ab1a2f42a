// VmDefinitions on libvirt.
#pragma once
#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/host_profile_source.h"
#include "drivers/libvirt/owned_domains.h"
#include "hvagent/drivers/vm_definitions.h"

namespace hvagent::libvirt {

class LibvirtVmDefinitions final : public VmDefinitions {
public:
    LibvirtVmDefinitions(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned,
                         std::shared_ptr<HostProfileSource> profile, CallTimeouts timeouts);

    void define(const VmSpec& spec) override;
    void undefine(const VmId& vm) override;
    bool is_defined(const VmId& vm) override;
    std::vector<ForeignDomain> list_foreign() override;

private:
    CallRunner& work_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const std::shared_ptr<HostProfileSource> profile_;
    const CallTimeouts timeouts_;
};

}  // namespace hvagent::libvirt
