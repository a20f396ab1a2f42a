// The NAT network that libvirt runs for the agent: its bridge, addresses and services.
#pragma once
#include <string>
#include <vector>

#include "agent/config/settings.h"
#include "agent/operations/network/ipv4.h"
#include "hvagent/model/host.h"

namespace hvagent::operations {

inline const std::vector<std::string> nat_services{"DHCP", "DNS", "SNAT"};

// Addresses of [network] cidr: the first is the host's, the others are the guests'. Error(invalid_argument).
struct NatAddresses {
    Ipv4Network network;
    std::uint32_t gateway = 0;
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};
NatAddresses nat_addresses(const config::Settings& settings);

inline bool is_nat(const config::Settings& settings, const L2Network& l2_network) {
    return settings.network_enabled && l2_network.physical_interface == settings.network_bridge;
}

// Every service of the network, as its record; `provider` is the uuid of the agent's own.
std::vector<NetworkService> nat_services_of(const L3NetworkId& l3_network, const std::string& provider);

}  // namespace hvagent::operations
