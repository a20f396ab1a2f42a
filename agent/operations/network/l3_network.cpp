#include <algorithm>

#include "agent/operations/holdings.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/network/handlers.h"
#include "agent/operations/network/nat.h"

namespace hvagent::operations {
namespace {

json answer(Services& services, const L3NetworkId& l3_network) {
    return services.inventory.answer("L3Network", l3_network.str());
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> items;
    for (std::size_t from = 0; from < list.size();) {
        const std::size_t comma = std::min(list.find(',', from), list.size());
        items.push_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return items;
}

std::string join(const std::vector<std::string>& items) {
    std::string list;
    for (const std::string& item : items) list += (list.empty() ? "" : ",") + item;
    return list;
}

// libvirt's DHCP server names itself to the guests and asks the servers of the settings: nothing else can be promised.
void check_nat_dns(Services& services, const L3NetworkId& l3_network, const std::string& dns) {
    if (!services.addresses.is_nat(l3_network)) return;
    const NatNetworkSpec nat = services.addresses.nat_spec();
    if (dns == nat.gateway || std::find(nat.dns_servers.begin(), nat.dns_servers.end(), dns) != nat.dns_servers.end())
        return;
    throw Error(Code::no_capability, "guests of the NAT network are told to ask " + nat.gateway +
                                         ", which asks the servers of the setting [network] dns; " + dns +
                                         " can be set there only");
}

}  // namespace

json create_l3_network(Services& services, Job&, const CreateL3Network& params) {
    check_no_system_tags(params.tags, "L3 network");
    if (params.ip_version != 4) throw Error(Code::no_capability, "parameter 'ipVersion': only IPv4 networks are offered");
    if (services.inventory.find<L3Network>(params.uuid))
        return answer(services, params.uuid);  // an earlier life of this job came so far
    L3Network network;
    network.uuid = params.uuid;
    network.l2_network = params.l2_network;
    network.name = params.name;
    network.description = params.description;
    network.type = params.type;
    network.category = params.category;
    network.system = params.system;
    network.enable_ipam = params.enable_ipam;
    services.inventory.transaction([&] {
        network.zone = services.inventory.get<L2Network>(params.l2_network).zone;
        services.inventory.insert(network);
        add_tags(services, "L3Network", params.uuid.str(), params.tags);
    });
    return answer(services, params.uuid);
}

json delete_l3_network(Services& services, Job&, const OnL3Network& params) {
    services.inventory.transaction([&] {
        const auto network = services.inventory.get<L3Network>(params.l3_network);
        const inventory::Where here{{"l3NetworkUuid", network.uuid.str()}};
        Holdings().add(services.inventory.count<VmNic>(here), "NIC").refuse_if_any("the L3 network " + network.name);
        for (const UsedIp& used : services.inventory.list<UsedIp>(here)) services.inventory.remove<UsedIp>(used.uuid);
        for (const IpRange& range : services.inventory.list<IpRange>(here)) services.inventory.remove<IpRange>(range.uuid);
        for (const NetworkService& one : services.inventory.list<NetworkService>(here))
            services.inventory.remove<NetworkService>(one.uuid);
        services.inventory.remove<L3Network>(network.uuid);
    });
    return json::object();
}

json add_dns(Services& services, Job& job, const DnsOfNetwork& params) {
    if (!parse_ipv4(params.dns))
        throw Error(Code::invalid_argument, "parameter 'dns' must be an IPv4 address, but is \"" + params.dns + "\"");
    check_nat_dns(services, params.l3_network, params.dns);
    services.inventory.modify<L3Network>(params.l3_network, [&](L3Network& record) {
        std::vector<std::string> servers = split(record.dns);
        if (std::find(servers.begin(), servers.end(), params.dns) != servers.end()) {
            if (job.resumed()) return;
            throw Error(Code::operation_failed,
                        "the L3 network " + record.name + " has the DNS server " + params.dns + " already");
        }
        servers.push_back(params.dns);
        record.dns = join(servers);
    });
    return answer(services, params.l3_network);
}

json remove_dns(Services& services, Job&, const DnsOfNetwork& params) {
    if (services.addresses.is_nat(params.l3_network))
        throw Error(Code::no_capability, "guests of the NAT network are told to ask " +
                                             services.addresses.nat_spec().gateway +
                                             ", which asks the servers of the setting [network] dns");
    services.inventory.modify<L3Network>(params.l3_network, [&](L3Network& record) {
        std::vector<std::string> servers = split(record.dns);
        std::erase(servers, params.dns);
        record.dns = join(servers);
    });
    return answer(services, params.l3_network);
}

}  // namespace hvagent::operations
