// IPv4 addresses as numbers.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace hvagent::operations {

std::optional<std::uint32_t> parse_ipv4(const std::string& text);  // host byte order
std::string ipv4_text(std::uint32_t address);

struct Ipv4Network {
    std::uint32_t address = 0;  // of the network
    int prefix = 0;
    std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
    std::uint32_t last() const { return address | ~mask(); }  // broadcast
    bool contains(std::uint32_t ip) const { return (ip & mask()) == address; }
};
// "192.168.1.0/24", prefix 8 to 30. nullopt when it is not one.
std::optional<Ipv4Network> parse_cidr(const std::string& text);
// The prefix length of "255.255.255.0"; nullopt when the mask has holes.
std::optional<int> prefix_of_mask(const std::string& mask);

}  // namespace hvagent::operations
