// VmPower on libvirt.
#pragma once
#include <string>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/owned_domains.h"
#include "hvagent/drivers/vm_power.h"

namespace hvagent::libvirt {

class LibvirtVmPower final : public VmPower {
public:
    // `work` carries calls that may wait for a QEMU, `queries` those that never do.
    LibvirtVmPower(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts);

    void start(const VmId& vm, bool paused) override;
    void destroy(const VmId& vm) override;
    void suspend(const VmId& vm) override;
    void resume(const VmId& vm) override;
    void request_shutdown(const VmId& vm, ShutdownMethod method) override;
    bool has_guest_agent(const VmId& vm) override;
    void set_live_cpus(const VmId& vm, int cpus) override;
    void set_live_memory(const VmId& vm, Bytes memory) override;

private:
    // Runs `call(virDomainPtr)` for a VM of ours.
    template <class Call>
    auto with_domain(CallRunner& runner, CallName name, milliseconds timeout, Call call);

    CallRunner& work_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const CallTimeouts timeouts_;
};

}  // namespace hvagent::libvirt
