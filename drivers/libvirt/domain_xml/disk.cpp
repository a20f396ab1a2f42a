// <disk device='disk'>.
#include <algorithm>
#include <array>
#include <utility>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

constexpr int sata_ports = 6;
constexpr int most_ide_disks = 4;
// "sdv" to "sdz" are CD drives, see cdrom.cpp.
constexpr int first_cdrom_letter = 'v' - 'a';
constexpr int cdrom_letters = 5;

const char* bus_name(DiskBus bus) {
    switch (bus) {
        case DiskBus::virtio: return "virtio";
        case DiskBus::sata: return "sata";
        case DiskBus::ide: return "ide";
        case DiskBus::scsi: return "scsi";
    }
    return "";
}

std::string letters(int index) {
    std::string text;
    for (++index; index > 0; index = (index - 1) / 26) text.insert(text.begin(), static_cast<char>('a' + (index - 1) % 26));
    return text;
}

// The other buses have places of their own kind, which libvirt chooses by the name.
void add_address(pugi::xml_node disk, DiskBus bus, int index) {
    if (bus != DiskBus::scsi && bus != DiskBus::sata) return;
    int controller = 0;
    int unit = index;
    if (bus == DiskBus::sata && index > 0) {
        // CD drives have the first controller's places but its first.
        controller = 1 + (index - 1) / sata_ports;
        unit = (index - 1) % sata_ports;
    }
    pugi::xml_node address = with(disk.append_child("address"), "type", "drive");
    with(with(address, "controller", std::to_string(controller)), "bus", "0");
    with(with(address, "target", "0"), "unit", std::to_string(unit));
}

void add_driver(pugi::xml_node disk, const DiskSpec& spec, const HostProfile& host) {
    const bool direct = host.allows_direct_io(spec.path);
    pugi::xml_node driver = with(with(disk.append_child("driver"), "name", "qemu"), "type", spec.format);
    // O_DIRECT keeps the guest's data out of the host's page cache and is what libvirt calls safe to migrate.
    with(driver, "cache", direct ? "none" : "writeback");
    if (direct) with(driver, "io", host.has_native_io() ? "native" : "threads");
    // A guest whose storage is full pauses and can be resumed, instead of seeing a broken disk.
    with(with(with(driver, "error_policy", "stop"), "rerror_policy", "stop"), "discard", "unmap");
}

void add_throttle(pugi::xml_node disk, const DiskThrottle& throttle) {
    if (throttle == DiskThrottle{}) return;
    pugi::xml_node tune = disk.append_child("iotune");
    const std::array<std::pair<const char*, std::int64_t>, 6> limits{{{"total_bytes_sec", throttle.total_bandwidth},
                                                                      {"read_bytes_sec", throttle.read_bandwidth},
                                                                      {"write_bytes_sec", throttle.write_bandwidth},
                                                                      {"total_iops_sec", throttle.total_iops},
                                                                      {"read_iops_sec", throttle.read_iops},
                                                                      {"write_iops_sec", throttle.write_iops}}};
    for (const auto& [name, value] : limits)
        if (value > 0) child(tune, name, std::to_string(value));
}

}  // namespace

DiskBus bus_on(DiskBus bus, bool q35) {
    return q35 && bus == DiskBus::ide ? DiskBus::sata : bus;
}

std::string disk_name(DiskBus bus, int index) {
    if (bus == DiskBus::virtio) return "vd" + letters(index);
    if (bus == DiskBus::ide) return "hd" + letters(index);
    return "sd" + letters(index < first_cdrom_letter ? index : index + cdrom_letters);
}

void add_disk(pugi::xml_node devices, const DiskSpec& disk, int index, int boot, const HostProfile& host) {
    const std::string what = "volume " + disk.volume.str();
    if (disk.path.empty() || disk.path.front() != '/')
        throw Error(Code::invalid_argument,
                    "the path of " + what + " must be absolute, not \"" + safe_text(disk.path) + "\"");
    if (index < 0 || (disk.bus == DiskBus::ide && index >= most_ide_disks))
        throw Error(Code::invalid_argument, what + " has no place at its bus: device id " + std::to_string(index));
    pugi::xml_node node = with(with(devices.append_child("disk"), "type", "file"), "device", "disk");
    add_driver(node, disk, host);
    with(node.append_child("source"), "file", checked_name(disk.path, "the path of " + what));
    with(with(node.append_child("target"), "dev", disk_name(disk.bus, index)), "bus", bus_name(disk.bus));
    add_throttle(node, disk.throttle);
    // Virtio and ATA guests see the first 20 digits.
    if (!disk.volume.empty()) child(node, "serial", disk.volume.str());
    if (disk.shareable) node.append_child("shareable");
    if (boot > 0) with(node.append_child("boot"), "order", std::to_string(boot));
    add_address(node, disk.bus, index);
}

void add_disks(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host) {
    std::vector<DiskSpec> disks = spec.disks;
    std::stable_sort(disks.begin(), disks.end(),
                     [](const DiskSpec& a, const DiskSpec& b) { return a.device_id < b.device_id; });
    for (std::size_t i = 0; i < disks.size(); ++i) {
        disks[i].bus = bus_on(disks[i].bus, is_q35(spec, host));
        const int boot = i == 0 ? boot_number(spec, BootDevice::hard_disk, 0) : 0;
        add_disk(devices, disks[i], disks[i].device_id, boot, host);
    }
}

}  // namespace hvagent::libvirt::xml
