// Leases of a network's DHCP server. dnsmasq keeps a lease for its whole time, also when the guest went without a word, and
// gives the address to no other MAC meanwhile.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Gives the leases of this MAC back in its name, and waits a moment until the server knows. To be called while the network
// still has the entry of the MAC: taking the last one away restarts the server without DHCP.
void give_back_leases(virNetworkPtr network, const std::string& mac);

// A DHCPRELEASE (RFC 2131, 4.4.6).
std::array<std::uint8_t, 300> dhcp_release_packet(const std::string& mac, std::uint32_t address_in_network_order,
                                                  std::uint32_t server_in_network_order);

}  // namespace hvagent::libvirt
