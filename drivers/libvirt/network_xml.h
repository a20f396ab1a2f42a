// The XML of a libvirt network with NAT and DHCP, written and read.
#pragma once
#include <string>
#include <vector>

#include "hvagent/drivers/virtual_networks.h"

namespace hvagent::libvirt {

// Error(invalid_argument) for names and addresses that libvirt would misread or refuse late.
std::string network_xml(const NatNetworkSpec& spec);

// What an existing network has otherwise than `spec` asks for: "its bridge is virbr7, not hvabr0"; empty: nothing.
std::string difference(const std::string& xml, const NatNetworkSpec& spec);

// Whether an existing network has the DNS settings of `spec`.
bool has_dns_of(const std::string& xml, const NatNetworkSpec& spec);

// The host's address in it; empty when it has none.
std::string gateway_of(const std::string& xml);

std::vector<DhcpHost> dhcp_hosts(const std::string& xml);
// Error(invalid_argument) names what is wrong in it.
std::string dhcp_host_xml(const DhcpHost& host);

}  // namespace hvagent::libvirt
