#include "agent/inventory/records.h"

namespace hvagent::inventory {

template <>
const Record<L2Network>& record_of<L2Network>() {
    static const Record<L2Network> record = Record<L2Network>("L2Network", "l2_network")
                                                .wire("zoneUuid", &L2Network::zone)
                                                .wire("name", &L2Network::name)
                                                .wire("description", &L2Network::description)
                                                .wire("physicalInterface", &L2Network::physical_interface)
                                                .wire("type", &L2Network::type)
                                                .wire("vSwitchType", &L2Network::vswitch_type)
                                                .wire("vlan", &L2Network::vlan, "of an L2VlanNetwork")
                                                .absent_when_zero()
                                                .dates();
    return record;
}

template <>
const Record<L3Network>& record_of<L3Network>() {
    static const Record<L3Network> record = Record<L3Network>("L3Network", "l3_network")
                                                .wire("zoneUuid", &L3Network::zone)
                                                .wire("l2NetworkUuid", &L3Network::l2_network)
                                                .wire("name", &L3Network::name)
                                                .wire("description", &L3Network::description)
                                                .wire("type", &L3Network::type)
                                                .wire("state", &L3Network::state)
                                                .wire("dnsDomain", &L3Network::dns_domain)
                                                .wire("category", &L3Network::category)
                                                .wire("system", &L3Network::system)
                                                .wire("enableIPAM", &L3Network::enable_ipam)
                                                .wire("ipVersion", &L3Network::ip_version)
                                                .internal("dns", &L3Network::dns)
                                                .dates()
                                                .index({"l2NetworkUuid"});
    return record;
}

template <>
const Record<IpRange>& record_of<IpRange>() {
    static const Record<IpRange> record = Record<IpRange>("IpRange", "ip_range")
                                              .wire("l3NetworkUuid", &IpRange::l3_network)
                                              .wire("name", &IpRange::name)
                                              .wire("description", &IpRange::description)
                                              .wire("startIp", &IpRange::start_ip)
                                              .wire("endIp", &IpRange::end_ip)
                                              .wire("netmask", &IpRange::netmask)
                                              .wire("gateway", &IpRange::gateway)
                                              .wire("networkCidr", &IpRange::network_cidr)
                                              .wire("ipVersion", &IpRange::ip_version)
                                              .wire("prefixLen", &IpRange::prefix_len)
                                              .wire("ipRangeType", &IpRange::ip_range_type)
                                              .dates()
                                              .index({"l3NetworkUuid"});
    return record;
}

// Unique per network: two VMs can never be given one address.
template <>
const Record<UsedIp>& record_of<UsedIp>() {
    static const Record<UsedIp> record = Record<UsedIp>("UsedIp", "used_ip")
                                             .wire("ipRangeUuid", &UsedIp::ip_range)
                                             .wire("l3NetworkUuid", &UsedIp::l3_network)
                                             .wire("vmNicUuid", &UsedIp::nic)
                                             .wire("ip", &UsedIp::ip)
                                             .wire("ipInLong", &UsedIp::ip_number)
                                             .wire("netmask", &UsedIp::netmask)
                                             .wire("gateway", &UsedIp::gateway)
                                             .wire("ipVersion", &UsedIp::ip_version)
                                             .dates()
                                             .unique({"l3NetworkUuid", "ip"})
                                             .index({"vmNicUuid"})
                                             .index({"ipRangeUuid"});
    return record;
}

template <>
const Record<NetworkService>& record_of<NetworkService>() {
    static const Record<NetworkService> record =
        Record<NetworkService>("NetworkServiceL3NetworkRef", "network_service", false)
            .wire("l3NetworkUuid", &NetworkService::l3_network)
            .wire("networkServiceProviderUuid", &NetworkService::provider)
            .identity()
            .wire("networkServiceType", &NetworkService::type)
            .internal("createDate", &NetworkService::created)
            .internal("lastOpDate", &NetworkService::last_op)
            .index({"l3NetworkUuid"});
    return record;
}

}  // namespace hvagent::inventory
