#include <algorithm>

#include "agent/operations/attachments.h"
#include "agent/operations/holdings.h"
#include "agent/operations/network/handlers.h"
#include "agent/operations/network/nat.h"

namespace hvagent::operations {
namespace {

json answer(Services& services, const L2NetworkId& l2_network) {
    return services.inventory.answer("L2Network", l2_network.str());
}

bool is_interface_name(const std::string& name) {
    return !name.empty() && name.size() <= 15 && name != "." && name != ".." &&
           std::none_of(name.begin(), name.end(), [](unsigned char c) { return c == '/' || c == ':' || std::isspace(c); });
}

void check_interface(Services& services, const std::string& name) {
    if (!is_interface_name(name))
        throw Error(Code::invalid_argument,
                    "parameter 'physicalInterface': \"" + name + "\" is no name of a network interface");
    if (services.settings.network_enabled && name == services.settings.network_bridge) return;
    if (!services.networks.bridge_exists(name))
        throw Error(Code::no_capability,
                    "parameter 'physicalInterface': this host has no bridge " + name +
                        "; no bridge is made of a plain interface by this version, so make one and name it");
}

Holdings holdings_of(Services& services, const L2Network& l2_network) {
    Holdings holdings;
    holdings.add(services.inventory.count<L3Network>({{"l2NetworkUuid", l2_network.uuid.str()}}), "L3 network");
    return holdings;
}

// VMs of one bridge see each other, so a second network on it would be the same network under another name.
void check_interface_is_free(Services& services, const L2Network& wanted, const Cluster& cluster) {
    for (const L2Network& other : services.inventory.list<L2Network>({{"physicalInterface", wanted.physical_interface}}))
        if (other.uuid != wanted.uuid &&
            is_attached(services.inventory, l2_network_to_cluster, other.uuid.str(), cluster.uuid.str()))
            throw Error(Code::operation_failed, "the cluster " + cluster.name + " has the L2 network " + other.name +
                                                    " on " + wanted.physical_interface + " already");
}

}  // namespace

json create_l2_no_vlan(Services& services, Job&, const CreateL2Network& params) {
    check_no_system_tags(params.tags, "L2 network");
    if (services.inventory.find<L2Network>(params.uuid))
        return answer(services, params.uuid);  // an earlier life of this job came so far
    check_interface(services, params.physical_interface);
    L2Network network;
    network.uuid = params.uuid;
    network.zone = params.zone;
    network.name = params.name;
    network.description = params.description;
    network.physical_interface = params.physical_interface;
    network.vswitch_type = params.vswitch_type;
    services.inventory.transaction([&] {
        services.inventory.get<Zone>(params.zone);
        services.inventory.insert(network);
        add_tags(services, "L2Network", params.uuid.str(), params.tags);
    });
    return answer(services, params.uuid);
}

json attach_l2_network(Services& services, Job& job, const AttachL2Network& params) {
    services.inventory.transaction([&] {
        const auto network = services.inventory.get<L2Network>(params.l2_network);
        const auto cluster = services.inventory.get<Cluster>(params.cluster);
        if (network.zone != cluster.zone)
            throw Error(Code::operation_failed,
                        "the L2 network " + network.name + " and the cluster " + cluster.name + " are in different zones");
        if (is_attached(services.inventory, l2_network_to_cluster, network.uuid.str(), cluster.uuid.str())) {
            if (job.resumed()) return;
            throw Error(Code::operation_failed,
                        "the L2 network " + network.name + " is attached to the cluster " + cluster.name + " already");
        }
        check_interface_is_free(services, network, cluster);
        attach(services.inventory, l2_network_to_cluster, network.uuid.str(), cluster.uuid.str());
    });
    return answer(services, params.l2_network);
}

json delete_l2_network(Services& services, Job&, const OnL2Network& params) {
    const auto network = services.inventory.get<L2Network>(params.l2_network);
    holdings_of(services, network).refuse_if_any("the L2 network " + network.name);
    const auto on_interface = services.inventory.count<L2Network>({{"physicalInterface", network.physical_interface}});
    if (is_nat(services.settings, network) && on_interface == 1)
        services.networks.remove_network(services.settings.network_name);
    services.inventory.transaction([&] {
        holdings_of(services, network).refuse_if_any("the L2 network " + network.name);
        remove_attachments(services.inventory, network.uuid.str());
        services.inventory.remove<L2Network>(network.uuid);
    });
    return json::object();
}

}  // namespace hvagent::operations
