#include "agent/operations/network/nat.h"

#include "hvagent/error.h"

namespace hvagent::operations {

NatAddresses nat_addresses(const config::Settings& settings) {
    const auto network = parse_cidr(settings.network_cidr);
    if (!network)
        throw Error(Code::invalid_argument,
                    "[network] cidr must look like 192.168.221.0/24, with a prefix from 8 to 30, but is \"" +
                        settings.network_cidr + "\"");
    return {*network, network->address + 1, network->address + 2, network->last() - 1};
}

std::vector<NetworkService> nat_services_of(const L3NetworkId& l3_network, const std::string& provider) {
    std::vector<NetworkService> services;
    for (const std::string& type : nat_services) {
        NetworkService service;
        service.uuid = l3_network.str() + "-" + type;
        service.l3_network = l3_network;
        service.provider = provider;
        service.type = type;
        services.push_back(service);
    }
    return services;
}

}  // namespace hvagent::operations
