#include "agent/operations/holdings.h"
#include "agent/operations/network/handlers.h"
#include "agent/operations/network/nat.h"

namespace hvagent::operations {
namespace {

struct Addresses {
    Ipv4Network network;
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t gateway = 0;
};

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

std::uint32_t parse_address(const std::string& text, const char* parameter) {
    const auto address = parse_ipv4(text);
    if (!address) refuse(std::string("parameter '") + parameter + "' must be an IPv4 address, but is \"" + text + "\"");
    return *address;
}

std::string cidr_text(const Ipv4Network& network) {
    return ipv4_text(network.address) + "/" + std::to_string(network.prefix);
}

std::string range_text(std::uint32_t first, std::uint32_t last) {
    return ipv4_text(first) + " - " + ipv4_text(last);
}

bool is_host_address(const Ipv4Network& network, std::uint32_t address) {
    return network.contains(address) && address != network.address && address != network.last();
}

Addresses plan_range(const AddIpRange& params) {
    Addresses plan;
    plan.first = parse_address(params.start_ip, "startIp");
    plan.last = parse_address(params.end_ip, "endIp");
    const auto prefix = prefix_of_mask(params.netmask);
    if (!prefix || *prefix < 8 || *prefix > 30)
        refuse("parameter 'netmask' must be a mask from 255.0.0.0 to 255.255.255.252, but is \"" + params.netmask + "\"");
    plan.network.prefix = *prefix;
    plan.network.address = plan.first & plan.network.mask();
    if (plan.first > plan.last) refuse("parameter 'endIp' must not lie below 'startIp', " + params.start_ip);
    if (!is_host_address(plan.network, plan.first) || !is_host_address(plan.network, plan.last))
        refuse("the range " + range_text(plan.first, plan.last) +
               " does not lie between the network and the broadcast address of " + cidr_text(plan.network));
    plan.gateway = params.gateway.empty() ? plan.network.address + 1 : parse_address(params.gateway, "gateway");
    if (!is_host_address(plan.network, plan.gateway))
        refuse("parameter 'gateway' must be an address of " + cidr_text(plan.network) + ", but is " + params.gateway);
    if (plan.gateway >= plan.first && plan.gateway <= plan.last)
        refuse("parameter 'gateway': " + ipv4_text(plan.gateway) + " lies inside the range " +
               range_text(plan.first, plan.last) + "; it must lie outside");
    return plan;
}

Addresses plan_range(const AddIpRangeByCidr& params) {
    const auto network = parse_cidr(params.cidr);
    if (!network)
        refuse("parameter 'networkCidr' must look like 192.168.1.0/24, with a prefix from 8 to 30, but is \"" + params.cidr +
               "\"");
    const std::uint32_t lowest = network->address + 1, highest = network->last() - 1;
    const std::uint32_t gateway = params.gateway.empty() ? lowest : parse_address(params.gateway, "gateway");
    if (gateway == lowest) return {*network, lowest + 1, highest, gateway};
    if (gateway == highest) return {*network, lowest, highest - 1, gateway};
    refuse("parameter 'gateway' must be the first or the last address of " + cidr_text(*network) + ", but is " +
           params.gateway);
}

void check_fits_nat(Services& services, const Addresses& plan) {
    const NatAddresses nat = nat_addresses(services.settings);
    if (plan.network.address != nat.network.address || plan.network.prefix != nat.network.prefix ||
        plan.gateway != nat.gateway)
        refuse("an address range of the NAT network lies in " + cidr_text(nat.network) + " and has the gateway " +
               ipv4_text(nat.gateway) + "; " + cidr_text(plan.network) + " with " + ipv4_text(plan.gateway) + " does not");
}

void check_same_network(const IpRange& other, const Addresses& plan) {
    if (other.network_cidr != cidr_text(plan.network) || other.gateway != ipv4_text(plan.gateway))
        refuse("the L3 network has the range " + other.name + " in " + other.network_cidr + " with the gateway " +
               other.gateway + "; another range must be of the same network");
}

void check_apart(const IpRange& other, const Addresses& plan) {
    const auto first = parse_ipv4(other.start_ip), last = parse_ipv4(other.end_ip);
    if (first && last && plan.first <= *last && *first <= plan.last)
        refuse("the range " + range_text(plan.first, plan.last) + " overlaps with the range " + other.name + ", " +
               range_text(*first, *last));
}

// An address belongs to one VM only, so ranges of all networks on one bridge are kept apart.
void check_against_others(Services& services, const L3Network& network, const Addresses& plan) {
    const auto l2 = services.inventory.get<L2Network>(network.l2_network);
    if (is_nat(services.settings, l2)) check_fits_nat(services, plan);
    for (const L2Network& same : services.inventory.list<L2Network>({{"physicalInterface", l2.physical_interface}}))
        for (const L3Network& neighbour : services.inventory.list<L3Network>({{"l2NetworkUuid", same.uuid.str()}}))
            for (const IpRange& other : services.inventory.list<IpRange>({{"l3NetworkUuid", neighbour.uuid.str()}})) {
                if (neighbour.uuid == network.uuid) check_same_network(other, plan);
                check_apart(other, plan);
            }
}

template <class Params>
void store_range(Services& services, const Params& params, const Addresses& plan) {
    check_no_system_tags(params.tags, "IP range");
    IpRange range;
    range.uuid = params.uuid;
    range.l3_network = params.l3_network;
    range.name = params.name;
    range.description = params.description;
    range.start_ip = ipv4_text(plan.first);
    range.end_ip = ipv4_text(plan.last);
    range.netmask = ipv4_text(plan.network.mask());
    range.gateway = ipv4_text(plan.gateway);
    range.network_cidr = cidr_text(plan.network);
    range.prefix_len = plan.network.prefix;
    services.inventory.transaction([&] {
        if (services.inventory.find<IpRange>(params.uuid)) return;  // an earlier life of this job came so far
        const auto network = services.inventory.get<L3Network>(params.l3_network);
        if (!network.enable_ipam)
            throw Error(Code::operation_failed, "the L3 network " + network.name + " was made without address management");
        check_against_others(services, network, plan);
        services.inventory.insert(range);
        add_tags(services, "IpRange", params.uuid.str(), params.tags);
    });
}

}  // namespace

json add_ip_range(Services& services, Job&, const AddIpRange& params) {
    store_range(services, params, plan_range(params));
    return services.inventory.answer("IpRange", params.uuid.str());
}

json add_ip_range_by_cidr(Services& services, Job&, const AddIpRangeByCidr& params) {
    store_range(services, params, plan_range(params));
    json answer = services.inventory.answer("IpRange", params.uuid.str());
    answer["inventories"] = json::array({answer["inventory"]});
    return answer;
}

json delete_ip_range(Services& services, Job&, const OnIpRange& params) {
    services.inventory.transaction([&] {
        const auto range = services.inventory.get<IpRange>(params.range);
        Holdings()
            .add(services.inventory.count<UsedIp>({{"ipRangeUuid", range.uuid.str()}}), "address in use")
            .refuse_if_any("the IP range " + range.name);
        services.inventory.remove<IpRange>(range.uuid);
    });
    return json::object();
}

}  // namespace hvagent::operations
