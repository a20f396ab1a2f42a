// VirtualNetworks on libvirt.
#pragma once
#include <memory>
#include <mutex>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "hvagent/drivers/virtual_networks.h"

namespace hvagent::libvirt {

class LibvirtVirtualNetworks final : public VirtualNetworks {
public:
    LibvirtVirtualNetworks(CallRunner& work, CallRunner& queries, CallTimeouts timeouts);

    void ensure_nat_network(const NatNetworkSpec& spec) override;
    void remove_network(const std::string& name) override;
    bool network_is_active(const std::string& name) override;
    void put_dhcp_host(const std::string& network, const DhcpHost& host) override;
    void remove_dhcp_host(const std::string& network, const std::string& mac) override;
    std::vector<DhcpHost> list_dhcp_hosts(const std::string& network) override;
    bool bridge_exists(const std::string& name) override;

private:
    CallRunner& work_;
    CallRunner& queries_;
    const CallTimeouts timeouts_;
    // Looking for entries and changing them is one act.
    const std::shared_ptr<std::mutex> changing_ = std::make_shared<std::mutex>();
};

}  // namespace hvagent::libvirt
