#include "agent/operations/host/host_view.h"
#include "agent/operations/place/host_capacity.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

json cpu_part(const HostFacts& facts) {
    return {{"cpus", facts.cpus},
            {"sockets", facts.sockets},
            {"coresPerSocket", facts.cores_per_socket},
            {"threadsPerCore", facts.threads_per_core},
            {"model", facts.cpu_model},
            {"flags", facts.cpu_flags},
            {"architecture", facts.architecture}};
}

json numa_part(const HostFacts& facts) {
    json cells = json::array();
    for (const NumaCell& cell : facts.numa_cells)
        cells.push_back({{"id", cell.id}, {"memory", cell.memory}, {"cpus", cell.cpus}});
    return cells;
}

json kvm_part(const HostFacts& facts) {
    json part{{"works", facts.kvm_works}, {"virtType", facts.virt_type}};
    if (!facts.kvm_works) part["reason"] = facts.kvm_reason;
    return part;
}

json pressure_part(const std::map<std::string, Pressure>& pressure) {
    json part = json::object();
    const auto shares = [](const Pressure::Line& line) {
        return json{{"last10s", line.last_10_s}, {"last60s", line.last_60_s}, {"last300s", line.last_300_s}};
    };
    for (const auto& [resource, lines] : pressure) {
        part[resource]["some"] = shares(lines.some);
        if (lines.full) part[resource]["full"] = shares(*lines.full);
    }
    return part;
}

json pages_part(const std::vector<HugePages>& pools) {
    json part = json::array();
    for (const HugePages& pool : pools) part.push_back({{"size", pool.size}, {"total", pool.total}, {"free", pool.free}});
    return part;
}

json capacity_part(const HostView& view, const CapacityFigures& figures) {
    const config::Settings& settings = view.services.settings;
    return {{"cpus", {{"promised", figures.used_cpus}, {"limit", figures.total_cpus}, {"ratio", settings.cpu_ratio}}},
            {"memory",
             {{"promised", figures.used_memory},
              {"overhead", figures.overhead},
              {"limit", figures.total_memory},
              {"reserved", settings.reserved_memory},
              {"ratio", settings.memory_ratio}}}};
}

json storages_part(const HostView& view) {
    json part = json::array();
    for (const state::StorageSight& sight : view.storages.sights()) {
        json one{
            {"name", sight.name}, {"url", sight.root}, {"works", sight.trouble.empty()}, {"nearlyFull", sight.nearly_full}};
        if (sight.space.total > 0) one.update({{"size", sight.space.total}, {"available", sight.space.available}});
        if (!sight.trouble.empty()) one.update({{"trouble", sight.trouble}, {"reason", sight.why}});
        part.push_back(std::move(one));
    }
    return part;
}

json networks_part(const HostView& view) {
    json part = json::array();
    for (const L2Network& network : view.services.inventory.list<L2Network>()) {
        json one{{"name", network.name}, {"uuid", network.uuid.str()}, {"type", network.type}};
        if (!network.physical_interface.empty()) {
            one["interface"] = network.physical_interface;
            one["present"] = view.services.networks.bridge_exists(network.physical_interface);
        }
        part.push_back(std::move(one));
    }
    return part;
}

void add_libvirts_part(const HostView& view, json& facts) {
    const HostFacts known = view.services.inspector.facts();
    facts["cpu"] = cpu_part(known);
    facts["numa"] = numa_part(known);
    facts["kvm"] = kvm_part(known);
    facts["iommu"] = {{"enabled", known.iommu_groups > 0}, {"groups", known.iommu_groups}};
    facts["versions"] = {{"hvagent", view.version},
                         {"libvirt", known.libvirt_version},
                         {"qemu", known.qemu_version},
                         {"kernel", known.kernel_version},
                         {"os", known.os_distribution + " " + known.os_version}};
    facts["capacity"] = capacity_part(view, view.services.capacity.figures());
    facts["networks"] = networks_part(view);
}

}  // namespace

json host_facts(const HostView& view) {
    const Host host = view.services.inventory.get<Host>(view.services.host);
    const HostLoad load = view.load.host();
    json facts{{"uuid", host.uuid.str()},
               {"name", host.name},
               {"observedAt", to_unix_ms(view.services.clock.now())},
               {"memory",
                {{"total", load.memory_total},
                 {"available", load.memory_available},
                 {"used", load.memory_total - load.memory_available}}},
               {"hugePages", pages_part(load.huge_pages)},
               {"pressure", pressure_part(load.pressure)},
               {"storages", storages_part(view)}};
    try {
        if (!view.services.states.connected()) throw Error(Code::host_connection, "libvirt does not answer");
        add_libvirts_part(view, facts);
        facts["libvirt"] = "Connected";
    } catch (const Error& error) {
        facts["libvirt"] = "Disconnected";
        facts["libvirtFailure"] = error.details();
    }
    return facts;
}

json short_facts(const HostView& view) {
    const HostLoad load = view.load.host();
    json facts{{"memory", {{"total", load.memory_total}, {"available", load.memory_available}}},
               {"cpus", load.cpus_online},
               {"agentVersion", view.version}};
    const auto known = view.services.inspector.known_facts();
    if (!known) return facts;
    facts["kvm"] = kvm_part(*known);
    facts["libvirtVersion"] = known->libvirt_version;
    facts["qemuVersion"] = known->qemu_version;
    try {
        facts["capacity"] = capacity_part(view, view.services.capacity.figures());
    } catch (const Error& error) {
        log::debug("the host's facts are not known", {{"error", error.details()}});
    }
    return facts;
}

}  // namespace hvagent::operations
