#include "agent/operations/network/ipv4.h"

#include <arpa/inet.h>

#include <bit>
#include <cstdlib>

namespace hvagent::operations {

std::optional<std::uint32_t> parse_ipv4(const std::string& text) {
    in_addr address{};
    if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
    return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t address) {
    in_addr raw{};
    raw.s_addr = htonl(address);
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &raw, text, sizeof text);
    return text;
}

std::optional<Ipv4Network> parse_cidr(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const auto address = parse_ipv4(text.substr(0, slash));
    char* end = nullptr;
    const long prefix = std::strtol(text.c_str() + slash + 1, &end, 10);
    if (!address || *end != 0 || end == text.c_str() + slash + 1 || prefix < 8 || prefix > 30) return std::nullopt;
    Ipv4Network network{0, static_cast<int>(prefix)};
    network.address = *address & network.mask();
    return network;
}

std::optional<int> prefix_of_mask(const std::string& mask) {
    const auto bits = parse_ipv4(mask);
    if (!bits) return std::nullopt;
    const int prefix = std::countl_one(*bits);
    if (Ipv4Network{0, prefix}.mask() != *bits) return std::nullopt;
    return prefix;
}

}  // namespace hvagent::operations
