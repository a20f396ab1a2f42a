// <os>, <features> and <clock>: the machine the guest finds itself on.
#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt::xml {
namespace {

bool is_windows(const VmSpec& spec) {
    return spec.platform == "Windows" || spec.platform == "WindowsVirtio";
}

void add_timer(pugi::xml_node clock, const char* name, const char* attribute, const char* value) {
    with(with(clock.append_child("timer"), "name", name), attribute, value);
}

}  // namespace

void add_os(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host) {
    pugi::xml_node os = domain.append_child("os");
    // libvirt picks loader and NVRAM template from the firmware descriptions of the distribution.
    if (spec.firmware == Firmware::uefi) with(os, "firmware", "efi");
    pugi::xml_node type = child(os, "type", "hvm");
    with(with(type, "arch", spec.architecture), "machine", spec.machine.empty() ? host.default_machine : spec.machine);
    // Secure boot would refuse most images' kernels, and ask for SMM.
    if (spec.firmware == Firmware::uefi)
        with(with(os.append_child("firmware").append_child("feature"), "enabled", "no"), "name", "secure-boot");
}

void add_features(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host) {
    pugi::xml_node features = domain.append_child("features");
    features.append_child("acpi");
    features.append_child("apic");
    if (is_windows(spec) && host.virt_type == "kvm") {
        pugi::xml_node hyperv = features.append_child("hyperv");
        for (const char* name : {"relaxed", "vapic", "vpindex", "synic", "stimer"})
            with(hyperv.append_child(name), "state", "on");
        with(with(hyperv.append_child("spinlocks"), "state", "on"), "retries", "8191");
    }
}

void add_clock(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host) {
    pugi::xml_node clock = with(domain.append_child("clock"), "offset", is_windows(spec) ? "localtime" : "utc");
    if (host.virt_type != "kvm") return;
    add_timer(clock, "rtc", "tickpolicy", "catchup");
    add_timer(clock, "pit", "tickpolicy", "delay");
    add_timer(clock, "hpet", "present", "no");
    if (is_windows(spec)) add_timer(clock, "hypervclock", "present", "yes");
}

}  // namespace hvagent::libvirt::xml
