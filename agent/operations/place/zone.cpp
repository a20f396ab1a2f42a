#include "agent/operations/attachments.h"
#include "agent/operations/holdings.h"
#include "agent/operations/place/handlers.h"

namespace hvagent::operations {
json create_zone(Services& services, Job&, const CreateZone& params) {
    check_no_system_tags(params.tags, "zone");
    if (services.inventory.find<Zone>(params.uuid))  // an earlier life of this job came so far
        return services.inventory.answer("Zone", params.uuid.str());
    Zone zone;
    zone.uuid = params.uuid;
    zone.name = params.name;
    zone.description = params.description;
    zone.is_default = params.is_default;
    services.inventory.transaction([&] {
        if (params.is_default)
            for (const Zone& other : services.inventory.list<Zone>({{"isDefault", std::int64_t{1}}}))
                services.inventory.modify<Zone>(other.uuid, [](Zone& record) { record.is_default = false; });
        services.inventory.insert(zone);
        add_tags(services, "Zone", params.uuid.str(), params.tags);
    });
    return services.inventory.answer("Zone", params.uuid.str());
}

json delete_zone(Services& services, Job&, const DeleteZone& params) {
    services.inventory.transaction([&] {
        const Zone zone = services.inventory.get<Zone>(params.zone);
        const inventory::Where here{{"zoneUuid", zone.uuid.str()}};
        Holdings()
            .add(services.inventory.count<Cluster>(here), "cluster")
            .add(services.inventory.count<Host>(here), "host")
            .add(services.inventory.count<PrimaryStorage>(here), "primary storage")
            .add(services.inventory.count<L2Network>(here), "L2 network")
            .add(services.inventory.count<Vm>(here), "VM")
            .refuse_if_any("the zone " + zone.name);
        remove_attachments(services.inventory, zone.uuid.str());
        services.inventory.remove<Zone>(zone.uuid);
    });
    return json::object();
}

json create_cluster(Services& services, Job&, const CreateCluster& params) {
    check_no_system_tags(params.tags, "cluster");
    if (services.inventory.find<Cluster>(params.uuid))  // an earlier life of this job came so far
        return services.inventory.answer("Cluster", params.uuid.str());
    Cluster cluster;
    cluster.uuid = params.uuid;
    cluster.zone = params.zone;
    cluster.name = params.name;
    cluster.description = params.description;
    cluster.hypervisor_type = params.hypervisor_type;
    cluster.type = params.type;
    cluster.architecture =
        !params.architecture.empty() ? params.architecture : services.inventory.get<Host>(services.host).architecture;
    services.inventory.transaction([&] {
        services.inventory.get<Zone>(params.zone);
        services.inventory.insert(cluster);
        add_tags(services, "Cluster", params.uuid.str(), params.tags);
    });
    return services.inventory.answer("Cluster", params.uuid.str());
}

json delete_cluster(Services& services, Job&, const DeleteCluster& params) {
    services.inventory.transaction([&] {
        const Cluster cluster = services.inventory.get<Cluster>(params.cluster);
        const inventory::Where here{{"clusterUuid", cluster.uuid.str()}};
        Holdings()
            .add(services.inventory.count<Host>(here), "host")
            .add(services.inventory.count<Vm>(here), "VM")
            .refuse_if_any("the cluster " + cluster.name);
        remove_attachments(services.inventory, cluster.uuid.str());
        services.inventory.remove<Cluster>(cluster.uuid);
    });
    return json::object();
}

}  // namespace hvagent::operations
