// <disk device='disk'>.
#include <algorithm>
#include <map>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

// q35 has no IDE; its ATA controller is SATA, which the same guests have drivers for.
DiskBus bus_on(DiskBus bus, bool q35) {
    return q35 && bus == DiskBus::ide ? DiskBus::sata : bus;
}

const char* bus_name(DiskBus bus) {
    switch (bus) {
        case DiskBus::virtio: return "virtio";
        case DiskBus::sata: return "sata";
        case DiskBus::ide: return "ide";
        case DiskBus::scsi: return "scsi";
    }
    return "";
}

std::string device_name(const std::string& prefix, int index) {
    std::string letters;
    for (++index; index > 0; index = (index - 1) / 26)
        letters.insert(letters.begin(), static_cast<char>('a' + (index - 1) % 26));
    return prefix + letters;
}

// sata and scsi disks share the names sda...; CDs come after them, see cdrom.cpp.
std::string prefix_of(DiskBus bus) {
    return bus == DiskBus::virtio ? "vd" : bus == DiskBus::ide ? "hd" : "sd";
}

void add_disk(pugi::xml_node devices, const DiskSpec& disk, const std::string& target, int boot, bool direct) {
    if (disk.path.empty() || disk.path.front() != '/')
        throw Error(Code::invalid_argument,
                    "the path of volume " + disk.volume.str() + " must be absolute, not \"" + safe_text(disk.path) + "\"");
    pugi::xml_node node = with(with(devices.append_child("disk"), "type", "file"), "device", "disk");
    pugi::xml_node driver = with(with(node.append_child("driver"), "name", "qemu"), "type", disk.format);
    // O_DIRECT keeps the guest's data out of the host's page cache and is what libvirt calls safe to migrate.
    with(driver, "cache", direct ? "none" : "writeback");
    if (direct) with(driver, "io", "native");
    // A guest whose storage is full pauses and can be resumed, instead of seeing a broken disk.
    with(with(with(driver, "error_policy", "stop"), "rerror_policy", "stop"), "discard", "unmap");
    with(node.append_child("source"), "file", checked_name(disk.path, "the path of volume " + disk.volume.str()));
    with(with(node.append_child("target"), "dev", target), "bus", bus_name(disk.bus));
    // Virtio and ATA guests see the first 20 digits.
    if (!disk.volume.empty()) child(node, "serial", disk.volume.str());
    if (disk.shareable) node.append_child("shareable");
    if (boot > 0) with(node.append_child("boot"), "order", std::to_string(boot));
}

}  // namespace

void add_disks(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host) {
    std::vector<DiskSpec> disks = spec.disks;
    std::stable_sort(disks.begin(), disks.end(),
                     [](const DiskSpec& a, const DiskSpec& b) { return a.device_id < b.device_id; });
    std::map<std::string, int> used;  // names given, by prefix
    for (std::size_t i = 0; i < disks.size(); ++i) {
        disks[i].bus = bus_on(disks[i].bus, is_q35(spec, host));
        const std::string prefix = prefix_of(disks[i].bus);
        const int boot = i == 0 ? boot_number(spec, BootDevice::hard_disk, 0) : 0;
        add_disk(devices, disks[i], device_name(prefix, used[prefix]++), boot, host.allows_direct_io(disks[i].path));
    }
}

}  // namespace hvagent::libvirt::xml
