#include <algorithm>

#include "agent/operations/migration/maintenance.h"
#include "agent/operations/place/handlers.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/place/live_host.h"
#include "agent/operations/place/peer_hosts.h"

namespace hvagent::operations {
namespace {

struct Sums {
    std::int64_t total_cpu = 0, available_cpu = 0, managed_cpus = 0;
    Bytes total_memory = 0, available_memory = 0;

    void add(const Host& host) {
        total_cpu += host.total_cpu;
        available_cpu += host.available_cpu;
        total_memory += host.total_memory;
        available_memory += host.available_memory;
        managed_cpus += host.cpu_num;
    }
    json to_json() const {
        return {{"totalCpu", total_cpu},
                {"availableCpu", available_cpu},
                {"totalMemory", total_memory},
                {"availableMemory", available_memory},
                {"managedCpuNum", managed_cpus}};
    }
};

// Only hosts that can take a VM now count.
std::vector<Host> usable_hosts(Services& services, const std::string& hypervisor_type) {
    std::vector<Host> hosts = services.inventory.list<Host>();
    std::erase_if(hosts, [&](const Host& host) {
        return host.state != "Enabled" || host.status != ConnectionStatus::connected ||
               (!hypervisor_type.empty() && host.hypervisor_type != hypervisor_type);
    });
    return hosts;
}

template <class Id>
json capacity_of(const std::vector<Id>& places, Id Host::*place, const std::vector<Host>& hosts, const char* resource_type) {
    Sums total;
    json data = json::array();
    for (const Id& one : places) {
        Sums sums;
        for (const Host& host : hosts)
            if (host.*place == one) {
                sums.add(host);
                total.add(host);
            }
        json entry = sums.to_json();
        entry["resourceUuid"] = one.str();
        data.push_back(entry);
    }
    json answer = total.to_json();
    answer["capacityData"] = data;
    answer["resourceType"] = resource_type;
    answer["success"] = true;
    return answer;
}

}  // namespace

json update_host(Services& services, Job&, const UpdateHost& params) {
    if (!params.management_ip.empty()) move_peer(services, params.host, params.management_ip);
    services.inventory.modify<Host>(params.host, [&](Host& record) {
        if (!params.name.empty()) record.name = params.name;
        if (params.description) record.description = *params.description;
    });
    return services.inventory.answer("Host", params.host.str());
}

json change_host_state(Services& services, Job& job, const ChangeHostState& params) {
    const bool is_maintenance = params.event == "maintain" || params.event == "preMaintain";
    if (is_maintenance && params.host != services.host)
        throw Error(Code::no_capability,
                    "only a host's own agent can empty it: send this to " + services.peers.url_of(params.host));
    if (params.event == "preMaintain") return prepare_maintenance(services, job);
    if (params.event == "maintain") return drain_host(services, job);
    if (params.host == services.host)
        change_own_state(services, params.event);
    else
        change_peer_state(services, params.host, params.event);
    return services.inventory.answer("Host", params.host.str());
}

json reconnect_host(Services& services, Job& job, const OnHost& params) {
    if (params.host != services.host) {
        job.progress(10, "ask the host's agent");
        look_at_peer(services, params.host);
        return services.inventory.answer("Host", params.host.str());
    }
    try {
        job.progress(10, "wait for libvirt");
        services.states.wait_connected(services.settings.libvirt_wait);
        services.capacity.refresh_host_record();
    } catch (...) {
        const Error error = current_error();
        refresh_host(services);
        throw error;
    }
    refresh_host(services);
    return services.inventory.answer("Host", params.host.str());
}

json get_cpu_memory_capacity(Services& services, const api::Call&, const CapacityQuestion& params) {
    refresh_host(services);
    const std::vector<Host> hosts = usable_hosts(services, params.hypervisor_type);
    if (!params.hosts.empty()) return capacity_of(params.hosts, &Host::uuid, hosts, "HostVO");
    if (!params.clusters.empty()) return capacity_of(params.clusters, &Host::cluster, hosts, "ClusterVO");
    std::vector<ZoneId> zones = params.zones;
    if (params.all) {
        zones.clear();
        for (const Zone& zone : services.inventory.list<Zone>()) zones.push_back(zone.uuid);
    } else if (zones.empty()) {
        throw Error(Code::invalid_argument, "one of 'zoneUuids', 'clusterUuids', 'hostUuids' and 'all' must say of what");
    }
    return capacity_of(zones, &Host::zone, hosts, "ZoneVO");
}

}  // namespace hvagent::operations
