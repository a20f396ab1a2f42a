#include "agent/operations/place/host_capacity.h"

#include "agent/operations/observe_change.h"

namespace hvagent::operations {

HostCapacity::HostCapacity(const config::Settings& settings, inventory::Inventory& inventory, HostInspector& inspector,
                           HostId host)
    : settings_(settings), inventory_(inventory), inspector_(inspector), host_(std::move(host)) {}

CapacityFigures HostCapacity::figures_locked(const VmId& except) {
    const HostFacts facts = inspector_.facts();
    CapacityFigures figures;
    figures.total_cpus = static_cast<std::int64_t>(facts.cpus * settings_.cpu_ratio);
    figures.total_memory =
        static_cast<Bytes>(static_cast<double>(facts.memory) * settings_.memory_ratio) - settings_.reserved_memory;
    for (const auto& [vm, promise] : promises_) {
        if (vm == except) continue;
        figures.used_cpus += promise.cpus;
        figures.used_memory += promise.memory;
    }
    for (const Vm& vm : inventory_.list<Vm>({{"hostUuid", host_.str()}})) {
        if (vm.uuid == except || promises_.contains(vm.uuid)) continue;
        figures.used_cpus += vm.cpus;
        figures.used_memory += vm.memory;
    }
    return figures;
}

CapacityFigures HostCapacity::figures() {
    std::lock_guard lock(mutex_);
    return figures_locked(VmId());
}

std::string HostCapacity::why_not_locked(const VmId& vm, int cpus, Bytes memory) {
    const Host host = inventory_.get<Host>(host_);
    if (host.state != "Enabled") return "host " + host.name + " is " + host.state;
    const CapacityFigures figures = figures_locked(vm);
    if (memory > figures.total_memory - figures.used_memory)
        return "host " + host.name + " has " + human_size(figures.total_memory - figures.used_memory) +
               " of memory left of " + human_size(figures.total_memory) + ", the VM needs " + human_size(memory);
    if (cpus > figures.total_cpus - figures.used_cpus)
        return "host " + host.name + " has " + std::to_string(figures.total_cpus - figures.used_cpus) +
               " virtual CPUs left of " + std::to_string(figures.total_cpus) + ", the VM needs " + std::to_string(cpus);
    return "";
}

std::string HostCapacity::why_not(int cpus, Bytes memory) {
    std::lock_guard lock(mutex_);
    return why_not_locked(VmId(), cpus, memory);
}

std::unique_ptr<HostCapacity::Reservation> HostCapacity::reserve(const VmId& vm, int cpus, Bytes memory) {
    std::lock_guard lock(mutex_);
    const std::string reason = why_not_locked(vm, cpus, memory);
    if (!reason.empty()) throw Error(Code::no_available_host, reason);
    promises_[vm] = {cpus, memory};
    return std::make_unique<Reservation>(*this, vm);
}

void HostCapacity::release(const VmId& vm) {
    std::lock_guard lock(mutex_);
    promises_.erase(vm);
}

void HostCapacity::refresh_host_record() {
    const HostFacts facts = inspector_.facts();
    const CapacityFigures now = figures();
    observe_change<Host>(inventory_, host_, [&](Host& host) {
        host.cpu_num = facts.cpus;
        host.cpu_sockets = facts.sockets;
        host.total_cpu = now.total_cpus;
        host.available_cpu = now.total_cpus - now.used_cpus;
        host.total_memory = facts.memory;
        host.available_memory = now.total_memory - now.used_memory;
        host.architecture = facts.architecture;
        host.os_distribution = facts.os_distribution;
        host.os_release = facts.os_release;
        host.os_version = facts.os_version;
    });
}

}  // namespace hvagent::operations
