#include "agent/operations/default_network.h"

#include "agent/operations/attachments.h"
#include "agent/operations/defaults.h"
#include "agent/operations/network/nat.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using config::Settings;
using inventory::Inventory;

void set_addresses(IpRange& range, const NatAddresses& nat) {
    range.start_ip = ipv4_text(nat.first);
    range.end_ip = ipv4_text(nat.last);
    range.netmask = ipv4_text(nat.network.mask());
    range.gateway = ipv4_text(nat.gateway);
    range.network_cidr = ipv4_text(nat.network.address) + "/" + std::to_string(nat.network.prefix);
    range.prefix_len = nat.network.prefix;
}

std::string dns_of(const Settings& settings, const NatAddresses& nat) {
    std::string list;
    for (const std::string& server : settings.network_dns) list += (list.empty() ? "" : ",") + server;
    return list.empty() ? ipv4_text(nat.gateway) : list;
}

void make_network(Inventory& inventory, const Settings& settings, const NatAddresses& nat) {
    L2Network l2;
    l2.uuid = L2NetworkId::make();
    l2.zone = ZoneId(*find_default(inventory, "zone"));
    l2.name = settings.network_name;
    l2.description = "the agent's NAT network";
    l2.physical_interface = settings.network_bridge;
    inventory.insert(l2);
    attach(inventory, l2_network_to_cluster, l2.uuid.str(), *find_default(inventory, "cluster"));
    L3Network l3;
    l3.uuid = L3NetworkId::make();
    l3.zone = l2.zone;
    l3.l2_network = l2.uuid;
    l3.name = settings.network_name;
    l3.dns = dns_of(settings, nat);
    inventory.insert(l3);
    IpRange range;
    range.uuid = IpRangeId::make();
    range.l3_network = l3.uuid;
    range.name = settings.network_name;
    set_addresses(range, nat);
    inventory.insert(range);
    for (const NetworkService& service : nat_services_of(l3.uuid, *find_default(inventory, "network-provider")))
        inventory.insert(service);
    remember_default(inventory, "l2-network", l2.uuid.str());
    remember_default(inventory, "l3-network", l3.uuid.str());
    remember_default(inventory, "ip-range", range.uuid.str());
}

// What would break when the network got other addresses: NICs, and ranges that somebody added.
std::string why_fixed(const Inventory& inventory, const L2NetworkId& l2_network) {
    std::int64_t nics = 0, ranges = 0;
    for (const L3Network& l3 : inventory.list<L3Network>({{"l2NetworkUuid", l2_network.str()}})) {
        nics += inventory.count<VmNic>({{"l3NetworkUuid", l3.uuid.str()}});
        ranges += inventory.count<IpRange>({{"l3NetworkUuid", l3.uuid.str()}});
    }
    if (nics > 0) return std::to_string(nics) + " NICs are in it";
    return ranges > 1 ? std::to_string(ranges) + " IP ranges are in it" : "";
}

void check_unused(const Inventory& inventory, const L2Network& l2, const std::string& setting, const std::string& recorded) {
    const std::string reason = why_fixed(inventory, l2.uuid);
    if (reason.empty()) return;
    throw Error(Code::invalid_argument, setting + ", but the network " + l2.name + " was made with " + recorded + " and " +
                                            reason + "; set it back");
}

void follow_settings(Inventory& inventory, const Settings& settings, const NatAddresses& nat) {
    const auto l2 = inventory.find<L2Network>(L2NetworkId(*find_default(inventory, "l2-network")));
    if (!l2) return;
    if (l2->physical_interface != settings.network_bridge) {
        check_unused(inventory, *l2, "[network] bridge is " + settings.network_bridge, l2->physical_interface);
        inventory.modify<L2Network>(l2->uuid,
                                    [&](L2Network& record) { record.physical_interface = settings.network_bridge; });
    }
    const auto range = inventory.find<IpRange>(IpRangeId(*find_default(inventory, "ip-range")));
    IpRange wanted = range.value_or(IpRange());
    set_addresses(wanted, nat);
    if (range && range->network_cidr != wanted.network_cidr) {
        check_unused(inventory, *l2, "[network] cidr is " + settings.network_cidr, range->network_cidr);
        log::info("the unused NAT network gets other addresses",
                  {{"from", range->network_cidr}, {"to", wanted.network_cidr}});
        inventory.modify<IpRange>(range->uuid, [&](IpRange& record) { set_addresses(record, nat); });
    }
    const L3NetworkId l3{*find_default(inventory, "l3-network")};
    inventory.observe<L3Network>(l3, [&](L3Network& record) { record.dns = dns_of(settings, nat); });
}

}  // namespace

void make_default_network(Inventory& inventory, const Settings& settings) {
    if (!find_default(inventory, "network-provider")) remember_default(inventory, "network-provider", make_uuid());
    if (!settings.network_enabled) return;
    const NatAddresses nat = nat_addresses(settings);
    if (find_default(inventory, "l2-network"))
        follow_settings(inventory, settings, nat);
    else
        make_network(inventory, settings, nat);
}

}  // namespace hvagent::operations
