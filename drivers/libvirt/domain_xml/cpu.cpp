// <vcpu>, <cpu> and memory, which share the NUMA cell that hot-plugged memory needs.
#include <algorithm>

#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt::xml {
namespace {

constexpr int growth = 4;  // a VM may grow to this many times its size, as far as the host goes
constexpr int memory_slots = 16;

int most_cpus(const VmSpec& spec, const HostProfile& host) {
    return host.hotplug ? std::max(spec.cpus, std::min(host.cpus, spec.cpus * growth)) : spec.cpus;
}

}  // namespace

void add_memory(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host) {
    if (host.hotplug) {
        pugi::xml_node most = child(domain, "maxMemory", std::to_string(spec.memory * growth / KiB));
        with(with(most, "slots", std::to_string(memory_slots)), "unit", "KiB");
    }
    with(child(domain, "memory", std::to_string(spec.memory / KiB)), "unit", "KiB");
}

void add_cpu(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host) {
    const int most = most_cpus(spec, host);
    pugi::xml_node vcpu = child(domain, "vcpu", std::to_string(most));
    if (most != spec.cpus) with(vcpu, "current", std::to_string(spec.cpus));

    // TCG has no host CPU to pass through; "maximum" is all it can emulate.
    pugi::xml_node cpu = domain.append_child("cpu");
    if (host.virt_type == "kvm")
        with(with(with(cpu, "mode", "host-passthrough"), "check", "none"), "migratable", "on");
    else
        with(cpu, "mode", "maximum");
    if (host.hotplug) {
        pugi::xml_node cell = cpu.append_child("numa").append_child("cell");
        with(with(cell, "id", "0"), "cpus", most == 1 ? "0" : "0-" + std::to_string(most - 1));
        with(with(cell, "memory", std::to_string(spec.memory / KiB)), "unit", "KiB");
    }
}

}  // namespace hvagent::libvirt::xml
