#include "agent/metrics/vm_families.h"

#include <unordered_set>

namespace hvagent::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Number = std::optional<double>;

constexpr auto counter = MetricType::Counter;
constexpr auto gauge = MetricType::Gauge;

// As the exporter has them: the domain's name, which is the uuid without dashes, and its uuid.
Labels labels_of(const VmId& vm) {
    return {{"domain", vm.str()}, {"uuid", with_dashes(vm.str())}};
}

template <class Value>
Number number(const std::optional<Value>& value) {
    return value ? Number(static_cast<double>(*value)) : std::nullopt;
}

template <class Value>
Number in_seconds(const std::optional<Value>& nanoseconds) {
    return nanoseconds ? Number(static_cast<double>(*nanoseconds) / 1e9) : std::nullopt;
}

// A family that takes one figure of each Thing.
template <class Thing>
struct Figure {
    const char* name;
    const char* help;
    MetricType type;
    Number (*value)(const Thing&);
};

const std::vector<Figure<VmStats>> vm_figures{
    {"libvirt_domain_info_cpu_time_seconds_total", "CPU time of the VM's QEMU", counter,
     [](const VmStats& vm) { return in_seconds(vm.cpu_nanoseconds); }},
    {"libvirt_domain_info_cpu_user_seconds_total", "CPU time of the VM's QEMU in user space", counter,
     [](const VmStats& vm) { return in_seconds(vm.cpu_user_nanoseconds); }},
    {"libvirt_domain_info_cpu_system_seconds_total", "CPU time of the VM's QEMU in the kernel", counter,
     [](const VmStats& vm) { return in_seconds(vm.cpu_system_nanoseconds); }},
    {"libvirt_domain_info_virtual_cpus", "Virtual CPUs in use", gauge, [](const VmStats& vm) { return number(vm.vcpus); }},
    {"libvirt_domain_info_maximum_memory_bytes", "Memory the VM may have", gauge,
     [](const VmStats& vm) { return number(vm.maximum_memory); }},
    {"libvirt_domain_info_memory_usage_bytes", "Memory the VM has, as the balloon leaves it", gauge,
     [](const VmStats& vm) { return number(vm.memory); }},
    {"libvirt_domain_memory_stats_rss_bytes", "Resident memory of the VM's QEMU", gauge,
     [](const VmStats& vm) { return number(vm.rss); }},
    {"libvirt_domain_memory_stats_unused_bytes", "Memory the guest leaves unused", gauge,
     [](const VmStats& vm) { return number(vm.guest_unused); }},
    {"libvirt_domain_memory_stats_available_bytes", "Memory the guest sees", gauge,
     [](const VmStats& vm) { return number(vm.guest_available); }},
    {"libvirt_domain_memory_stats_usable_bytes", "Memory the guest could give back without swapping", gauge,
     [](const VmStats& vm) { return number(vm.guest_usable); }},
    {"libvirt_domain_memory_stats_disk_cache_bytes", "Memory the guest uses as disk cache", gauge,
     [](const VmStats& vm) { return number(vm.guest_disk_caches); }},
    {"libvirt_domain_memory_stats_swap_in_bytes_total", "Memory the guest swapped in", counter,
     [](const VmStats& vm) { return number(vm.swapped_in); }},
    {"libvirt_domain_memory_stats_swap_out_bytes_total", "Memory the guest swapped out", counter,
     [](const VmStats& vm) { return number(vm.swapped_out); }},
    {"libvirt_domain_memory_stats_major_fault_total", "Page faults of the guest that read a disk", counter,
     [](const VmStats& vm) { return number(vm.major_faults); }},
    {"libvirt_domain_memory_stats_minor_fault_total", "Other page faults of the guest", counter,
     [](const VmStats& vm) { return number(vm.minor_faults); }},
    {"hvagent_vm_qemu_responding", "0: libvirt waits for an answer of the VM's QEMU", gauge,
     [](const VmStats& vm) { return Number(vm.qemu_responds ? 1 : 0); }},
    {"hvagent_vm_qemu_silent_seconds", "How long libvirt has been waiting for an answer of the VM's QEMU", gauge,
     [](const VmStats& vm) { return Number(static_cast<double>(vm.qemu_silent_for.count()) / 1000); }},
};

const std::vector<Figure<VmVcpuStats>> vcpu_figures{
    {"libvirt_domain_vcpu_time_seconds_total", "Time the virtual CPU ran", counter,
     [](const VmVcpuStats& vcpu) { return Number(static_cast<double>(vcpu.nanoseconds) / 1e9); }},
    {"libvirt_domain_vcpu_delay_seconds_total", "Time the virtual CPU wanted to run and had to wait", counter,
     [](const VmVcpuStats& vcpu) { return in_seconds(vcpu.waited_nanoseconds); }},
};

template <auto direction, auto part>
Number traffic(const auto& device) {
    return device.*direction ? Number(static_cast<double>((*(device.*direction)).*part)) : std::nullopt;
}

using DiskTraffic = VmDiskStats::Traffic;
constexpr auto disk_read = &VmDiskStats::read;
constexpr auto disk_written = &VmDiskStats::written;

const std::vector<Figure<VmDiskStats>> disk_figures{
    {"libvirt_domain_block_stats_read_bytes_total", "Bytes read from the disk", counter,
     traffic<disk_read, &DiskTraffic::bytes>},
    {"libvirt_domain_block_stats_read_requests_total", "Read requests to the disk", counter,
     traffic<disk_read, &DiskTraffic::requests>},
    {"libvirt_domain_block_stats_read_time_seconds_total", "Time spent on reads from the disk", counter,
     [](const VmDiskStats& disk) {
         return disk.read ? Number(static_cast<double>(disk.read->nanoseconds) / 1e9) : std::nullopt;
     }},
    {"libvirt_domain_block_stats_write_bytes_total", "Bytes written to the disk", counter,
     traffic<disk_written, &DiskTraffic::bytes>},
    {"libvirt_domain_block_stats_write_requests_total", "Write requests to the disk", counter,
     traffic<disk_written, &DiskTraffic::requests>},
    {"libvirt_domain_block_stats_write_time_seconds_total", "Time spent on writes to the disk", counter,
     [](const VmDiskStats& disk) {
         return disk.written ? Number(static_cast<double>(disk.written->nanoseconds) / 1e9) : std::nullopt;
     }},
    {"libvirt_domain_block_stats_flush_requests_total", "Flushes of the disk", counter,
     [](const VmDiskStats& disk) { return number(disk.flushes); }},
    {"libvirt_domain_block_stats_capacity_bytes", "Size of the disk as the guest sees it", gauge,
     [](const VmDiskStats& disk) { return number(disk.capacity); }},
    {"libvirt_domain_block_stats_allocation_bytes", "Highest byte written in the disk's active layer", gauge,
     [](const VmDiskStats& disk) { return number(disk.allocation); }},
    {"libvirt_domain_block_stats_physicalsize_bytes", "Size of the file of the disk's active layer", gauge,
     [](const VmDiskStats& disk) { return number(disk.physical); }},
};

using NicTraffic = VmNicStats::Traffic;
constexpr auto received = &VmNicStats::received;
constexpr auto transmitted = &VmNicStats::transmitted;

const std::vector<Figure<VmNicStats>> nic_figures{
    {"libvirt_domain_interface_stats_receive_bytes_total", "Bytes the VM received", counter,
     traffic<received, &NicTraffic::bytes>},
    {"libvirt_domain_interface_stats_receive_packets_total", "Packets the VM received", counter,
     traffic<received, &NicTraffic::packets>},
    {"libvirt_domain_interface_stats_receive_errors_total", "Errors while receiving", counter,
     traffic<received, &NicTraffic::errors>},
    {"libvirt_domain_interface_stats_receive_drops_total", "Packets dropped while receiving", counter,
     traffic<received, &NicTraffic::drops>},
    {"libvirt_domain_interface_stats_transmit_bytes_total", "Bytes the VM sent", counter,
     traffic<transmitted, &NicTraffic::bytes>},
    {"libvirt_domain_interface_stats_transmit_packets_total", "Packets the VM sent", counter,
     traffic<transmitted, &NicTraffic::packets>},
    {"libvirt_domain_interface_stats_transmit_errors_total", "Errors while sending", counter,
     traffic<transmitted, &NicTraffic::errors>},
    {"libvirt_domain_interface_stats_transmit_drops_total", "Packets dropped while sending", counter,
     traffic<transmitted, &NicTraffic::drops>},
};

// One thing of a VM (or the VM itself) with the labels of its series.
template <class Thing>
struct Labelled {
    const Thing* thing;
    Labels labels;
};

template <class Thing>
void add_figures(Families& all, const std::vector<Figure<Thing>>& figures, const std::vector<Labelled<Thing>>& things) {
    for (const Figure<Thing>& figure : figures) {
        Family family(all, figure.name, figure.help, figure.type);
        for (const Labelled<Thing>& one : things)
            if (const Number value = figure.value(*one.thing)) family.add(one.labels, *value);
    }
}

}  // namespace

void add_vm_states(Families& all, const std::vector<Vm>& vms) {
    Family info(all, "hvagent_vm_info", "Always 1; the name and size of the VM", gauge);
    Family state(all, "hvagent_vm_state", "Always 1; the state of the VM, and why libvirt says so", gauge);
    Family since(all, "hvagent_vm_state_observed_timestamp_seconds", "When the state was seen to change", gauge);
    for (const Vm& vm : vms) {
        const Labels labels = labels_of(vm.uuid);
        info.add(with(labels, "name", vm.name), 1);
        state.add(with(with(labels, "state", std::string(to_text(vm.state()))), "reason", vm.observed_reason), 1);
        if (vm.observed_at != Time{}) since.add(labels, static_cast<double>(to_unix_ms(vm.observed_at)) / 1000);
    }
}

void add_vm_figures(Families& all, const std::vector<Vm>& vms, const std::vector<VmStats>& stats) {
    std::unordered_set<VmId> alive;
    for (const Vm& vm : vms)
        if (vm.observed != VmState::stopped) alive.insert(vm.uuid);  // since the figures were taken
    std::vector<Labelled<VmStats>> machines;
    std::vector<Labelled<VmVcpuStats>> vcpus;
    std::vector<Labelled<VmDiskStats>> disks;
    std::vector<Labelled<VmNicStats>> nics;
    for (const VmStats& vm : stats) {
        if (!vm.active || !alive.contains(vm.vm)) continue;
        const Labels labels = labels_of(vm.vm);
        machines.push_back({&vm, labels});
        for (const VmVcpuStats& vcpu : vm.each_vcpu)
            vcpus.push_back({&vcpu, with(labels, "vcpu", std::to_string(vcpu.number))});
        for (const VmDiskStats& disk : vm.disks)
            disks.push_back({&disk, with(with(labels, "source_file", disk.source), "target_device", disk.target)});
        for (const VmNicStats& nic : vm.nics) nics.push_back({&nic, with(labels, "target_device", nic.target)});
    }
    add_figures(all, vm_figures, machines);
    add_figures(all, vcpu_figures, vcpus);
    add_figures(all, disk_figures, disks);
    add_figures(all, nic_figures, nics);
}

}  // namespace hvagent::metrics
