#include <set>

#include "agent/operations/network/handlers.h"
#include "agent/operations/network/ipv4.h"

namespace hvagent::operations {
namespace {

// Addresses of a network that no NIC can be given: those in use, and the gateways.
std::set<std::uint32_t> taken_addresses(Services& services, const L3NetworkId& l3_network) {
    std::set<std::uint32_t> taken;
    const inventory::Where here{{"l3NetworkUuid", l3_network.str()}};
    for (const UsedIp& used : services.inventory.list<UsedIp>(here))
        if (const auto address = parse_ipv4(used.ip)) taken.insert(*address);
    for (const IpRange& range : services.inventory.list<IpRange>(here))
        if (const auto gateway = parse_ipv4(range.gateway)) taken.insert(*gateway);
    return taken;
}

std::vector<IpRange> asked_ranges(Services& services, const FreeIpQuestion& params) {
    if (!params.range.empty()) return {services.inventory.get<IpRange>(params.range)};
    if (params.l3_network.empty())
        throw Error(Code::invalid_argument, "parameter 'l3NetworkUuid' or 'ipRangeUuid' is required");
    return services.inventory.list<IpRange>({{"l3NetworkUuid", params.l3_network.str()}});
}

}  // namespace

json get_free_ip(Services& services, const api::Call&, const FreeIpQuestion& params) {
    std::uint32_t start = 0;
    if (!params.start.empty()) {
        const auto address = parse_ipv4(params.start);
        if (!address)
            throw Error(Code::invalid_argument,
                        "parameter 'start' must be an IPv4 address, but is \"" + params.start + "\"");
        start = *address;
    }
    json free = json::array();
    for (const IpRange& range : asked_ranges(services, params)) {
        if (range.ip_version != params.ip_version ||
            (!params.range_type.empty() && range.ip_range_type != params.range_type))
            continue;
        const auto first = parse_ipv4(range.start_ip), last = parse_ipv4(range.end_ip);
        if (!first || !last) continue;
        const std::set<std::uint32_t> taken = taken_addresses(services, range.l3_network);
        for (std::uint64_t at = std::max(*first, start); at <= *last && free.size() < static_cast<std::size_t>(params.limit);
             ++at) {
            const auto address = static_cast<std::uint32_t>(at);
            if (!taken.contains(address))
                free.push_back({{"ipRangeUuid", range.uuid.str()},
                                {"ip", ipv4_text(address)},
                                {"netmask", range.netmask},
                                {"gateway", range.gateway}});
        }
    }
    return {{"inventories", free}};
}

json check_ip_availability(Services& services, const api::Call&, const IpQuestion& params) {
    const auto address = parse_ipv4(params.ip);
    if (!address)
        throw Error(Code::invalid_argument, "parameter 'ip' must be an IPv4 address, but is \"" + params.ip + "\"");
    bool in_range = false;
    for (const IpRange& range : services.inventory.list<IpRange>({{"l3NetworkUuid", params.l3_network.str()}})) {
        const auto first = parse_ipv4(range.start_ip), last = parse_ipv4(range.end_ip);
        in_range = in_range || (first && last && *address >= *first && *address <= *last);
    }
    return {{"available", in_range && !taken_addresses(services, params.l3_network).contains(*address)}};
}

}  // namespace hvagent::operations
