#include "agent/operations/network/network_services.h"

#include <algorithm>

#include "agent/inventory/list_query.h"
#include "agent/operations/defaults.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/network/handlers.h"
#include "agent/operations/network/nat.h"

namespace hvagent::operations {
namespace {

std::string provider_of(Services& services) {
    return find_default(services.inventory, "network-provider").value_or("");
}

json provider_record(Services& services) {
    const Host host = services.inventory.get<Host>(services.host);
    json l2_networks = json::array();
    for (const L2Network& network : services.inventory.list<L2Network>())
        if (is_nat(services.settings, network)) l2_networks.push_back(network.uuid.str());
    return {{"uuid", provider_of(services)},
            {"name", "Flat Network Service Provider"},
            {"description", "libvirt's DHCP, DNS and NAT"},
            {"type", "Flat"},
            {"createDate", to_unix_ms(host.created)},
            {"lastOpDate", to_unix_ms(host.created)},
            {"networkServiceTypes", nat_services},
            {"attachedL2NetworkUuids", l2_networks}};
}

void check_service(const std::string& type) {
    if (std::find(nat_services.begin(), nat_services.end(), type) != nat_services.end()) return;
    throw Error(Code::invalid_argument,
                "parameter 'networkServices': " + type + " is not offered; known are DHCP, DNS and SNAT");
}

}  // namespace

const api::ResourceShape& network_provider_shape() {
    using api::FieldType;
    static const api::ResourceShape shape{
        "NetworkServiceProvider",
        "org.zstack.header.network.service.NetworkServiceProviderInventory",
        "",
        {{"uuid", FieldType::text, {}, true, true, ""},
         {"name", FieldType::text, {}, true, true, ""},
         {"description", FieldType::text, {}, true, true, ""},
         {"type", FieldType::text, {"Flat"}, true, true, ""},
         {"createDate", FieldType::time, {}, true, true, ""},
         {"lastOpDate", FieldType::time, {}, true, true, ""},
         {"networkServiceTypes", FieldType::text_list, {}, true, true, "what it can give to a network"},
         {"attachedL2NetworkUuids", FieldType::text_list, {}, true, true, "the networks it serves"}},
        {},
        {},
        {}};
    return shape;
}

json attach_network_services(Services& services, Job&, const AttachServices& params) {
    const auto network = services.inventory.get<L3Network>(params.l3_network);
    for (const auto& [provider, types] : params.services) {
        if (provider != provider_of(services))
            throw Error(Code::not_found,
                        "parameter 'networkServices': there is no network service provider \"" + provider + "\"");
        for (const std::string& type : types) check_service(type);
    }
    if (!services.addresses.is_nat(params.l3_network))
        throw Error(Code::no_capability, "the L3 network " + network.name +
                                             " is on a bridge, where the agent runs no DHCP or DNS server and no NAT; "
                                             "only networks on " +
                                             services.settings.network_bridge + " have them");
    services.inventory.transaction([&] {
        for (const NetworkService& service : nat_services_of(params.l3_network, provider_of(services)))
            for (const auto& [provider, types] : params.services)
                if (std::find(types.begin(), types.end(), service.type) != types.end() &&
                    !services.inventory.find<NetworkService>(service.uuid))
                    services.inventory.insert(service);
    });
    return services.inventory.answer("L3Network", params.l3_network.str());
}

json get_network_service_types(Services& services, const api::Call&, const Nothing&) {
    json types = json::object();
    for (const std::string& type : nat_services) types[type] = json::array({provider_of(services)});
    return {{"types", types}};
}

json query_providers(Services& services, const api::QueryRequest& request) {
    return inventory::query_list(network_provider_shape(), {provider_record(services)}, request);
}

}  // namespace hvagent::operations
