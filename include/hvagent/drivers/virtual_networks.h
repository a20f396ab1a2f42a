// Networks of the host that VMs plug into.
#pragma once
#include <string>
#include <vector>

namespace hvagent {

struct NatNetworkSpec {
    std::string name;     // of the libvirt network
    std::string bridge;   // at most 15 characters
    std::string gateway;  // address of the host in it
    std::string netmask;
    std::string dns_domain;
    std::vector<std::string> dns_servers;  // forwarders; empty: the host's
};

struct DhcpHost {
    std::string mac;
    std::string ip;
    std::string hostname;  // may be empty
};

// Thread-safe; deadlines and connection errors as in VmPower.
class VirtualNetworks {
public:
    virtual ~VirtualNetworks() = default;
    // Defines, starts and autostarts the network unless it is there; an existing one with other addresses is an Error.
    virtual void ensure_nat_network(const NatNetworkSpec& spec) = 0;
    virtual void remove_network(const std::string& name) = 0;  // not there is a success
    virtual bool network_is_active(const std::string& name) = 0;
    // Gives `host.mac` always this address, live and persistently; replaces an entry of the same mac or ip.
    virtual void put_dhcp_host(const std::string& network, const DhcpHost& host) = 0;
    virtual void remove_dhcp_host(const std::string& network, const std::string& mac) = 0;  // not there is a success
    virtual std::vector<DhcpHost> list_dhcp_hosts(const std::string& network) = 0;
    // Whether a bridge of this name exists on the host.
    virtual bool bridge_exists(const std::string& name) = 0;
};

}  // namespace hvagent
