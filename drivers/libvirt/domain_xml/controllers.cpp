// <controller>: where devices plug in, with room for those that come while the VM runs.
#include <algorithm>

#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt::xml {
namespace {

bool has_disk(const VmSpec& spec, DiskBus bus) {
    return std::any_of(spec.disks.begin(), spec.disks.end(), [bus](const DiskSpec& disk) { return disk.bus == bus; });
}

pugi::xml_node add_controller(pugi::xml_node devices, const char* type, int index, const char* model) {
    pugi::xml_node controller = with(devices.append_child("controller"), "type", type);
    return with(with(controller, "index", std::to_string(index)), "model", model);
}

// Devices that libvirt puts behind a root port each.
int ports_used(const VmSpec& spec) {
    const int fixed = 4;  // USB, virtio-serial, balloon, rng
    const auto virtio =
        std::count_if(spec.disks.begin(), spec.disks.end(), [](const DiskSpec& d) { return d.bus == DiskBus::virtio; });
    return fixed + static_cast<int>(virtio) + static_cast<int>(spec.nics.size()) + (has_disk(spec, DiskBus::scsi) ? 1 : 0);
}

}  // namespace

void add_controllers(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host) {
    if (is_q35(spec, host)) {
        // A running q35 has as many free slots as it has spare root ports; index 0 must then be named too.
        add_controller(devices, "pci", 0, "pcie-root");
        for (int i = 1; i <= ports_used(spec) + host.spare_pcie_ports; ++i)
            add_controller(devices, "pci", i, "pcie-root-port");
    }
    add_controller(devices, "usb", 0, "qemu-xhci");
    if (has_disk(spec, DiskBus::scsi)) add_controller(devices, "scsi", 0, "virtio-scsi");
}

}  // namespace hvagent::libvirt::xml
