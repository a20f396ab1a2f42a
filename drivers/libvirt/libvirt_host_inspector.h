// HostInspector on libvirt, /etc/os-release and /proc/meminfo.
#pragma once
#include <mutex>
#include <optional>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/host_profile_source.h"
#include "hvagent/drivers/host_facts.h"

namespace hvagent::libvirt {

class LibvirtHostInspector final : public HostInspector {
public:
    LibvirtHostInspector(CallRunner& queries, std::shared_ptr<HostProfileSource> profile, CallTimeouts timeouts);

    HostFacts facts() override;
    std::optional<HostFacts> known_facts() override;
    Bytes free_memory() override;
    // A new connection may lead to a newer daemon.
    void forget();

private:
    CallRunner& queries_;
    const std::shared_ptr<HostProfileSource> profile_;
    const CallTimeouts timeouts_;
    std::mutex mutex_;
    std::optional<HostFacts> known_;
};

}  // namespace hvagent::libvirt
