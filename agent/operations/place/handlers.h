// Zones, clusters and hosts: parameters and handlers.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct CreateZone {
    ZoneId uuid;
    std::string name;
    std::string description;
    bool is_default = false;
    api::Tags tags;
};

struct DeleteZone {
    ZoneId zone;
    std::string delete_mode = "Permissive";
};

struct CreateCluster {
    ClusterId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    std::string hypervisor_type;
    std::string type = Cluster().type;
    std::string architecture;  // empty: this host's
    api::Tags tags;
};

struct DeleteCluster {
    ClusterId cluster;
    std::string delete_mode = "Permissive";
};

struct AddHost {
    HostId uuid;  // empty, or who the other agent must be
    ClusterId cluster;
    std::string name;
    std::string description;
    std::string management_ip;
    std::string username;
    std::string password;
    int ssh_port = Host().ssh_port;
    api::Tags tags;
};

struct DeleteHost {
    HostId host;
    std::string delete_mode = "Permissive";
};

struct UpdateHost {
    HostId host;
    std::string name;
    std::optional<std::string> description;
    std::string management_ip;
};

struct ChangeHostState {
    HostId host;
    std::string event;
};

struct OnHost {
    HostId host;
};

struct CapacityQuestion {
    std::vector<ZoneId> zones;
    std::vector<ClusterId> clusters;
    std::vector<HostId> hosts;
    std::string hypervisor_type;
    bool all = false;
};

// zone.cpp
json create_zone(Services& services, Job& job, const CreateZone& params);
json delete_zone(Services& services, Job& job, const DeleteZone& params);
json create_cluster(Services& services, Job& job, const CreateCluster& params);
json delete_cluster(Services& services, Job& job, const DeleteCluster& params);

// add_host.cpp
json add_host(Services& services, Job& job, const AddHost& params);

// delete_host.cpp
json delete_host(Services& services, Job& job, const DeleteHost& params);

// host.cpp
json update_host(Services& services, Job& job, const UpdateHost& params);
json change_host_state(Services& services, Job& job, const ChangeHostState& params);
json reconnect_host(Services& services, Job& job, const OnHost& params);
json get_cpu_memory_capacity(Services& services, const api::Call& call, const CapacityQuestion& params);

}  // namespace hvagent::operations
