#include "agent/operations/place/host_capacity.h"

#include "agent/operations/observe_change.h"

namespace hvagent::operations {

namespace {

constexpr Bytes overhead_per_cpu = 8 * MiB;
constexpr Bytes page_table_share = 256;

std::string joined(const std::vector<std::string>& reasons) {
    std::string text;
    for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
    return text;
}

}  // namespace

Bytes overhead_of(const config::Settings& settings, int cpus, Bytes memory) {
    if (settings.vm_overhead == 0) return 0;
    return settings.vm_overhead + cpus * overhead_per_cpu + memory / page_table_share;
}

HostCapacity::HostCapacity(const config::Settings& settings, inventory::Inventory& inventory, HostInspector& inspector,
                           HostId host)
    : settings_(settings), inventory_(inventory), inspector_(inspector), host_(std::move(host)) {}

CapacityFigures HostCapacity::figures_locked(const VmId& except) {
    const HostFacts facts = inspector_.facts();
    CapacityFigures figures;
    figures.total_cpus = static_cast<std::int64_t>(facts.cpus * settings_.cpu_ratio);
    figures.total_memory =
        static_cast<Bytes>(static_cast<double>(facts.memory) * settings_.memory_ratio) - settings_.reserved_memory;
    const auto use = [&](int cpus, Bytes memory) {
        const Bytes overhead = overhead_of(settings_, cpus, memory);
        figures.used_cpus += cpus;
        figures.used_memory += memory + overhead;
        figures.overhead += overhead;
    };
    for (const auto& [vm, promise] : promises_)
        if (vm != except) use(promise.cpus, promise.memory);
    for (const Vm& vm : inventory_.list<Vm>({{"hostUuid", host_.str()}})) {
        if (vm.uuid == except || promises_.contains(vm.uuid)) continue;
        use(vm.cpus, vm.memory);
    }
    return figures;
}

CapacityFigures HostCapacity::figures() {
    std::lock_guard lock(mutex_);
    return figures_locked(VmId());
}

std::vector<std::string> HostCapacity::reasons_locked(const VmId& vm, int cpus, Bytes memory) {
    std::vector<std::string> reasons;
    const Host host = inventory_.get<Host>(host_);
    const std::string name = "host " + host.name;
    if (host.state != "Enabled") reasons.push_back(name + " is " + host.state);
    const CapacityFigures figures = figures_locked(vm);
    const Bytes overhead = overhead_of(settings_, cpus, memory);
    const Bytes left = figures.total_memory - figures.used_memory;
    if (memory > left - overhead)
        reasons.push_back(name + " has " + human_size(left) + " of memory left of " + human_size(figures.total_memory) +
                          ", the VM needs " + human_size(memory) +
                          (overhead > 0 ? " and " + human_size(overhead) + " for its QEMU" : ""));
    if (cpus > figures.total_cpus - figures.used_cpus)
        reasons.push_back(name + " has " + std::to_string(figures.total_cpus - figures.used_cpus) +
                          " virtual CPUs left of " + std::to_string(figures.total_cpus) + ", the VM needs " +
                          std::to_string(cpus));
    return reasons;
}

std::vector<std::string> HostCapacity::reasons_against(const VmId& vm, int cpus, Bytes memory) {
    std::lock_guard lock(mutex_);
    return reasons_locked(vm, cpus, memory);
}

std::string HostCapacity::why_not(int cpus, Bytes memory) {
    return joined(reasons_against(VmId(), cpus, memory));
}

std::unique_ptr<HostCapacity::Reservation> HostCapacity::reserve(const VmId& vm, int cpus, Bytes memory) {
    std::lock_guard lock(mutex_);
    const auto reasons = reasons_locked(vm, cpus, memory);
    if (!reasons.empty()) throw Error(Code::no_available_host, joined(reasons));
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
