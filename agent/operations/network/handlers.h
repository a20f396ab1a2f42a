// L2 and L3 networks, their addresses and services: parameters and handlers.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "agent/api/query_request.h"
#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct CreateL2Network {
    L2NetworkId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    std::string physical_interface;
    std::string type;
    std::string vswitch_type = L2Network().vswitch_type;
    api::Tags tags;
};

struct AttachL2Network {
    L2NetworkId l2_network;
    ClusterId cluster;
};

struct OnL2Network {
    L2NetworkId l2_network;
    std::string delete_mode = "Permissive";
};

struct CreateL3Network {
    L3NetworkId uuid;
    L2NetworkId l2_network;
    std::string name;
    std::string description;
    std::string type = L3Network().type;
    std::string category = L3Network().category;
    int ip_version = 4;
    bool system = false;
    bool enable_ipam = true;
    api::Tags tags;
};

struct OnL3Network {
    L3NetworkId l3_network;
    std::string delete_mode = "Permissive";
};

struct AddIpRange {
    IpRangeId uuid;
    L3NetworkId l3_network;
    std::string name;
    std::string description;
    std::string start_ip;
    std::string end_ip;
    std::string netmask;
    std::string gateway;
    std::string type = IpRange().ip_range_type;
    api::Tags tags;
};

struct AddIpRangeByCidr {
    IpRangeId uuid;
    L3NetworkId l3_network;
    std::string name;
    std::string description;
    std::string cidr;
    std::string gateway;
    std::string type = IpRange().ip_range_type;
    api::Tags tags;
};

struct OnIpRange {
    IpRangeId range;
    std::string delete_mode = "Permissive";
};

struct DnsOfNetwork {
    L3NetworkId l3_network;
    std::string dns;
};

struct AttachServices {
    L3NetworkId l3_network;
    std::map<std::string, std::vector<std::string>> services;  // provider uuid -> service types
};

struct FreeIpQuestion {
    L3NetworkId l3_network;
    IpRangeId range;
    std::string start;
    int limit = 100;
    int ip_version = 4;
    std::string range_type;
};

struct IpQuestion {
    L3NetworkId l3_network;
    std::string ip;
};

struct Nothing {};

// l2_network.cpp
json create_l2_no_vlan(Services& services, Job& job, const CreateL2Network& params);
json attach_l2_network(Services& services, Job& job, const AttachL2Network& params);
json delete_l2_network(Services& services, Job& job, const OnL2Network& params);

// l3_network.cpp
json create_l3_network(Services& services, Job& job, const CreateL3Network& params);
json delete_l3_network(Services& services, Job& job, const OnL3Network& params);
json add_dns(Services& services, Job& job, const DnsOfNetwork& params);
json remove_dns(Services& services, Job& job, const DnsOfNetwork& params);

// ip_range.cpp
json add_ip_range(Services& services, Job& job, const AddIpRange& params);
json add_ip_range_by_cidr(Services& services, Job& job, const AddIpRangeByCidr& params);
json delete_ip_range(Services& services, Job& job, const OnIpRange& params);

// free_ip.cpp
json get_free_ip(Services& services, const api::Call& call, const FreeIpQuestion& params);
json check_ip_availability(Services& services, const api::Call& call, const IpQuestion& params);

// network_services.cpp
json attach_network_services(Services& services, Job& job, const AttachServices& params);
json get_network_service_types(Services& services, const api::Call& call, const Nothing& params);
json query_providers(Services& services, const api::QueryRequest& request);

}  // namespace hvagent::operations
