#include "drivers/libvirt/dhcp_leases.h"

#include <arpa/inet.h>
#include <libvirt/virterror.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "drivers/libvirt/network_xml.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

using std::chrono::milliseconds;

constexpr int server_port = 67;
constexpr milliseconds patience{500};
constexpr milliseconds between_looks{5};

// Addresses that this MAC holds; none where the driver knows no leases.
std::vector<std::string> leases_of(virNetworkPtr network, const std::string& mac) {
    std::vector<std::string> addresses;
    virNetworkDHCPLeasePtr* leases = nullptr;
    const int count = virNetworkGetDHCPLeases(network, mac.c_str(), &leases, 0);
    for (int i = 0; i < count; ++i) {
        if (leases[i]->type == VIR_IP_ADDR_TYPE_IPV4) addresses.emplace_back(leases[i]->ipaddr);
        virNetworkDHCPLeaseFree(leases[i]);
    }
    std::free(leases);
    return addresses;
}

bool send_release(const std::string& bridge, const std::string& server, const std::string& address, const std::string& mac) {
    in_addr client{};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_port);
    if (inet_pton(AF_INET, address.c_str(), &client) != 1 || inet_pton(AF_INET, server.c_str(), &to.sin_addr) != 1)
        return false;
    const auto packet = dhcp_release_packet(mac, client.s_addr, to.sin_addr.s_addr);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    // The server tells by the device of a packet which network it is about.
    const bool sent =
        ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, bridge.c_str(), static_cast<socklen_t>(bridge.size())) == 0 &&
        ::sendto(socket, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) ==
            static_cast<ssize_t>(packet.size());
    ::close(socket);
    return sent;
}

}  // namespace

std::array<std::uint8_t, 300> dhcp_release_packet(const std::string& mac, std::uint32_t address_in_network_order,
                                                  std::uint32_t server_in_network_order) {
    std::array<std::uint8_t, 300> packet{};
    const auto put = [&packet](std::size_t at, const auto& value) { std::memcpy(packet.data() + at, &value, sizeof value); };
    packet[0] = 1;  // a request
    packet[1] = 1;  // by Ethernet
    packet[2] = 6;
    put(4, static_cast<std::uint32_t>(std::random_device()()));
    put(12, address_in_network_order);
    unsigned hex[6] = {};
    std::sscanf(mac.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &hex[0], &hex[1], &hex[2], &hex[3], &hex[4], &hex[5]);
    for (std::size_t i = 0; i < 6; ++i) packet[28 + i] = static_cast<std::uint8_t>(hex[i]);
    constexpr std::array<std::uint8_t, 9> options{99, 130, 83, 99, 53, 1, 7, 54, 4};  // magic, type: release, server:
    put(236, options);
    put(236 + options.size(), server_in_network_order);
    packet[236 + options.size() + 4] = 255;
    return packet;
}

void give_back_leases(virNetworkPtr network, const std::string& mac) {
    const std::vector<std::string> addresses = leases_of(network, mac);
    if (addresses.empty()) return;
    const Text bridge(virNetworkGetBridgeName(network));
    const Text xml(virNetworkGetXMLDesc(network, 0));
    if (!bridge || !xml) return;
    const std::string server = gateway_of(xml.get());
    for (const std::string& address : addresses) send_release(bridge.get(), server, address, mac);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!leases_of(network, mac).empty()) {
        if (std::chrono::steady_clock::now() > until) {
            log::warning("a DHCP lease was not given back; its address can be used again when it expires",
                         {{"mac", mac}, {"address", addresses.front()}});
            return;
        }
        std::this_thread::sleep_for(between_looks);
    }
}

}  // namespace hvagent::libvirt
