#include "agent/operations/network/api.h"

#include "agent/api/query_request.h"
#include "agent/operations/network/handlers.h"
#include "agent/operations/rows.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;

const std::vector<std::string> delete_modes{"Permissive", "Enforcing"};

Row create_l2_row(Services& services) {
    using P = CreateL2Network;
    return Operation<P>{"CreateL2NoVlanNetwork", Method::post, "/l2-networks/no-vlan",
                        "Record a bridge of the host that VMs can plug into"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "zoneUuid", &P::zone, "its zone")
        .required(In::body, "physicalInterface", &P::physical_interface,
                  "a bridge of this host, or the bridge of the agent's NAT network")
        .optional(In::body, "type", &P::type, "L2NoVlanNetwork")
        .values({"L2NoVlanNetwork"})
        .optional(In::body, "vSwitchType", &P::vswitch_type, "LinuxBridge")
        .values({"LinuxBridge"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("isolated", "VMs on one bridge see each other")
        .refuses("pvlan", "VMs on one bridge see each other")
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "L2Network")
        .fails_as(Code::create_failed)
        .runs_as_job(queue_of(&P::uuid), with(services, create_l2_no_vlan));
}

Row attach_l2_row(Services& services) {
    using P = AttachL2Network;
    // The SDK's body key is the text "null": what it declares the parameters as.
    return Operation<P>{"AttachL2NetworkToCluster", Method::post, "/l2-networks/{l2NetworkUuid}/clusters/{clusterUuid}",
                        "Let a cluster use an L2 network"}
        .action("null", {"params"})
        .required(In::url, "l2NetworkUuid", &P::l2_network, "the L2 network")
        .required(In::url, "clusterUuid", &P::cluster, "the cluster, of the same zone")
        .refuses("l2ProviderType", "L2 networks are bridges of the host")
        .returns("inventory", "L2Network")
        .runs_as_job(queue_of(&P::l2_network), with(services, attach_l2_network));
}

Row delete_l2_row(Services& services) {
    using P = OnL2Network;
    return Operation<P>{"DeleteL2Network", Method::del, "/l2-networks/{uuid}",
                        "Forget an L2 network without L3 networks; a bridge that the agent did not make stays"}
        .required(In::url, "uuid", &P::l2_network, "the L2 network; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values(delete_modes)
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::l2_network), with(services, delete_l2_network));
}

Row create_l3_row(Services& services) {
    using P = CreateL3Network;
    return Operation<P>{"CreateL3Network", Method::post, "/l3-networks", "Record a network of addresses on an L2 network"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "l2NetworkUuid", &P::l2_network, "the L2 network below")
        .optional(In::body, "type", &P::type, "L3BasicNetwork")
        .values({"L3BasicNetwork"})
        .optional(In::body, "category", &P::category, "kept and shown")
        .values({"Private", "Public", "System"})
        .optional(In::body, "ipVersion", &P::ip_version, "4; 6 is refused")
        .optional(In::body, "system", &P::system, "true: no NIC of a user's VM is put into it")
        .optional(In::body, "enableIPAM", &P::enable_ipam, "false: the agent gives no addresses, so it has no IP ranges")
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("dnsDomain", "no DHCP server would tell it to guests")
        .refuses("isolated", "VMs on one bridge see each other")
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "L3Network")
        .runs_as_job(queue_of(&P::uuid), with(services, create_l3_network));
}

Row delete_l3_row(Services& services) {
    using P = OnL3Network;
    return Operation<P>{"DeleteL3Network", Method::del, "/l3-networks/{uuid}",
                        "Delete an L3 network without NICs, with its IP ranges"}
        .required(In::url, "uuid", &P::l3_network, "the L3 network; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values(delete_modes)
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::l3_network), with(services, delete_l3_network));
}

Row add_range_row(Services& services) {
    using P = AddIpRange;
    return Operation<P>{"AddIpRange", Method::post, "/l3-networks/{l3NetworkUuid}/ip-ranges",
                        "Give addresses to an L3 network"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network")
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "startIp", &P::start_ip, "the first address")
        .required(In::body, "endIp", &P::end_ip, "the last address")
        .required(In::body, "netmask", &P::netmask, "of the network they lie in")
        .optional(In::body, "gateway", &P::gateway, "outside the range; default: the first address of the network")
        .optional(In::body, "ipRangeType", &P::type, "Normal")
        .values({"Normal"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "IpRange")
        .runs_as_job(queue_of(&P::l3_network), with(services, add_ip_range));
}

Row add_cidr_row(Services& services) {
    using P = AddIpRangeByCidr;
    return Operation<P>{"AddIpRangeByNetworkCidr", Method::post, "/l3-networks/{l3NetworkUuid}/ip-ranges/by-cidr",
                        "Give all addresses of a network to an L3 network"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network")
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "networkCidr", &P::cidr, "the network, as 192.168.1.0/24")
        .optional(In::body, "gateway", &P::gateway, "its first or last address; default: the first")
        .optional(In::body, "ipRangeType", &P::type, "Normal")
        .values({"Normal"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "IpRange")
        .returns_list("inventories", "IpRange")
        .runs_as_job(queue_of(&P::l3_network), with(services, add_ip_range_by_cidr));
}

Row delete_range_row(Services& services) {
    using P = OnIpRange;
    return Operation<P>{"DeleteIpRange", Method::del, "/l3-networks/ip-ranges/{uuid}",
                        "Delete an IP range of which no address is in use"}
        .required(In::url, "uuid", &P::range, "the IP range; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values(delete_modes)
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::range), with(services, delete_ip_range));
}

Row add_dns_row(Services& services) {
    using P = DnsOfNetwork;
    return Operation<P>{"AddDnsToL3Network", Method::post, "/l3-networks/{l3NetworkUuid}/dns",
                        "Record a DNS server of an L3 network"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network")
        .required(In::body, "dns", &P::dns, "an IPv4 address; for the NAT network only those its DHCP server really uses")
        .returns("inventory", "L3Network")
        .runs_as_job(queue_of(&P::l3_network), with(services, add_dns));
}

Row remove_dns_row(Services& services) {
    using P = DnsOfNetwork;
    return Operation<P>{"RemoveDnsFromL3Network", Method::del, "/l3-networks/{l3NetworkUuid}/dns/{dns}",
                        "Forget a DNS server of an L3 network"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network")
        .required(In::url, "dns", &P::dns, "the address; one that is not there is a success")
        .returns("inventory", "L3Network")
        .runs_as_job(queue_of(&P::l3_network), with(services, remove_dns));
}

Row attach_services_row(Services& services) {
    using P = AttachServices;
    return Operation<P>{"AttachNetworkServiceToL3Network", Method::post, "/l3-networks/{l3NetworkUuid}/network-services",
                        "Give network services to an L3 network"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network, on the agent's NAT network")
        .required(In::body, "networkServices", &P::services, "uuid of the provider -> [DHCP, DNS, SNAT]")
        .returns("inventory", "L3Network")
        .runs_as_job(queue_of(&P::l3_network), with(services, attach_network_services));
}

Row service_types_row(Services& services) {
    return Operation<Nothing>{"GetNetworkServiceTypes", Method::get, "/network-services/types",
                              "Network services and who provides them"}
        .returns_value("types",
                       {{"type", "object"}, {"additionalProperties", {{"type", "array"}, {"items", {{"type", "string"}}}}}})
        .answers(with(services, get_network_service_types));
}

Row free_ip_row(Services& services) {
    using P = FreeIpQuestion;
    return Operation<P>{"GetFreeIp", Method::get, "/l3-networks/ip/free", "Addresses that nobody uses"}
        .optional(In::query, "l3NetworkUuid", &P::l3_network, "of this L3 network; or give ipRangeUuid")
        .optional(In::query, "ipRangeUuid", &P::range, "of this IP range")
        .optional(In::query, "start", &P::start, "from this address on")
        .optional(In::query, "ipVersion", &P::ip_version, "4; there are none of 6")
        .optional(In::query, "ipRangeType", &P::range_type, "of ranges of this type")
        .values({"Normal", "AddressPool"})
        .optional(In::query, "limit", &P::limit, "at most so many")
        .range(1, 10000)
        .returns_value("inventories", {{"type", "array"}, {"items", {{"type", "object"}}}})
        .answers(with(services, get_free_ip));
}

Row ip_availability_row(Services& services) {
    using P = IpQuestion;
    return Operation<P>{"CheckIpAvailability", Method::get, "/l3-networks/{l3NetworkUuid}/ip/{ip}/availability",
                        "Whether a NIC could be given this address"}
        .required(In::url, "l3NetworkUuid", &P::l3_network, "the L3 network")
        .required(In::url, "ip", &P::ip, "an IPv4 address")
        .returns_value("available", {{"type", "boolean"}})
        .answers(with(services, check_ip_availability));
}

}  // namespace

api::Table network_api(Services& services) {
    const auto providers = [&services](const std::string&, const api::QueryRequest& request) {
        return query_providers(services, request);
    };
    return {
        create_l2_row(services),
        attach_l2_row(services),
        delete_l2_row(services),
        create_l3_row(services),
        delete_l3_row(services),
        add_range_row(services),
        add_cidr_row(services),
        delete_range_row(services),
        add_dns_row(services),
        remove_dns_row(services),
        attach_services_row(services),
        service_types_row(services),
        free_ip_row(services),
        ip_availability_row(services),
        query_row(services, "QueryL2Network", "L2Network", "/l2-networks", "List L2 networks"),
        query_row(services, "QueryL2VlanNetwork", "L2VlanNetwork", "/l2-networks/vlan", "List L2 networks with a VLAN"),
        query_row(services, "QueryL3Network", "L3Network", "/l3-networks", "List L3 networks"),
        query_row(services, "QueryIpRange", "IpRange", "/l3-networks/ip-ranges", "List IP ranges"),
        api::query_operation("QueryNetworkServiceProvider", "NetworkServiceProvider", "/network-services/providers",
                             "List network service providers", providers, false),
    };
}

}  // namespace hvagent::operations
