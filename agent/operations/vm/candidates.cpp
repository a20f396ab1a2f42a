// Dry runs: where could this VM be made or started?
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/vm/handlers.h"

namespace hvagent::operations {
namespace {

json none() {
    return json::array();
}

}  // namespace

json get_vm_capabilities(Services& services, const api::Call&, const OnVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    const auto root = services.inventory.find<Volume>(vm.root_volume);
    const bool has_template = root && services.inventory.find<Image>(root->root_image).has_value();
    // Neither migration nor memory snapshots are offered by this version.
    return {{"capabilities",
             {{"LiveMigration", false}, {"VolumeMigration", false}, {"Reimage", has_template}, {"MemorySnapshot", false}}}};
}

json get_starting_candidates(Services& services, const api::Call&, const OnVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    const Host host = services.inventory.get<Host>(services.host);
    json hosts = none(), clusters = none();
    if (host.status == ConnectionStatus::connected && services.capacity.why_not(vm.cpus, vm.memory).empty()) {
        hosts.push_back(services.inventory.view("Host", host.uuid.str()));
        clusters.push_back(services.inventory.view("Cluster", host.cluster.str()));
    }
    // The manual's sample has the longer keys, the real server the shorter ones.
    return {{"hosts", hosts}, {"clusters", clusters}, {"hostInventories", hosts}, {"clusterInventories", clusters}};
}

json get_places_for_creating(Services& services, const api::Call&, const FindPlaceForVm& params) {
    int cpus = params.cpus.value_or(0);
    Bytes memory = params.memory.value_or(0);
    if (!params.offering.empty()) {
        const auto offering = services.inventory.get<InstanceOffering>(params.offering);
        cpus = offering.cpu_num;
        memory = offering.memory;
    } else if (!params.cpus || !params.memory) {
        throw Error(Code::invalid_argument,
                    "either parameter 'instanceOfferingUuid' or both 'cpuNum' and 'memorySize' are required");
    }
    const Host host = services.inventory.get<Host>(services.host);
    const Image image = services.inventory.get<Image>(params.image);
    Bytes disks = params.root_disk_size.value_or(image.size);
    if (!params.root_disk_offering.empty())
        disks = services.inventory.get<DiskOffering>(params.root_disk_offering).disk_size;
    for (const DiskOfferingId& id : params.data_disk_offerings) disks += services.inventory.get<DiskOffering>(id).disk_size;
    bool fits = host.status == ConnectionStatus::connected && services.capacity.why_not(cpus, memory).empty() &&
                (params.zone.empty() || params.zone == host.zone) &&
                (params.cluster.empty() || params.cluster == host.cluster) && image.state == EnabledState::enabled &&
                image.status == ImageStatus::ready && image.architecture == host.architecture;
    for (const L3NetworkId& id : params.l3_networks)
        fits = fits && services.inventory.get<L3Network>(id).state == EnabledState::enabled;
    bool has_room = false;
    for (const PrimaryStorage& storage : services.inventory.list<PrimaryStorage>())
        has_room = has_room || (storage.state == "Enabled" && storage.status == ConnectionStatus::connected &&
                                storage.available_capacity >= disks);
    json zones = none(), clusters = none(), hosts = none();
    if (fits && has_room) {
        zones.push_back(services.inventory.view("Zone", host.zone.str()));
        clusters.push_back(services.inventory.view("Cluster", host.cluster.str()));
        hosts.push_back(services.inventory.view("Host", host.uuid.str()));
    }
    return {{"zones", zones}, {"clusters", clusters}, {"hosts", hosts}, {"success", true}};
}

}  // namespace hvagent::operations
