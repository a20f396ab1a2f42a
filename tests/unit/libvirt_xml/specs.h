// VMs that stand for all: each has a golden file, and each is started by a real libvirt in tests/libvirt.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::testing {

struct NamedSpec {
    std::string name;
    VmSpec spec;
    libvirt::HostProfile host;
};
inline void PrintTo(const NamedSpec& named, std::ostream* out) {
    *out << named.name;
}

inline std::string numbered_uuid(char kind, int number) {
    return std::string(1, kind) + "0000000000040008000" + std::string(11, '0') + static_cast<char>('0' + number);
}

inline DiskSpec disk(int number, DiskBus bus, const std::string& directory) {
    DiskSpec disk;
    disk.volume = VolumeId(numbered_uuid('d', number));
    disk.path = directory + "/" + disk.volume.str() + ".qcow2";
    disk.bus = bus;
    disk.device_id = number;
    return disk;
}

inline NicSpec nic(int number, const std::string& network) {
    NicSpec nic;
    nic.nic = NicId(numbered_uuid('c', number));
    nic.mac = "fa:00:00:00:00:0" + std::to_string(number);
    nic.network = network;
    return nic;
}

// Paths lie in `directory`, NICs in `network`.
inline std::vector<NamedSpec> typical_specs(const std::string& directory, const std::string& network) {
    libvirt::HostProfile tcg;
    tcg.cpus = 8;
    libvirt::HostProfile kvm = tcg;
    kvm.virt_type = "kvm";

    VmSpec linux_vm;
    linux_vm.vm = VmId(numbered_uuid('a', 1));
    linux_vm.title = "web <1> & \"co\"";
    linux_vm.description = "first line\nsecond line";
    linux_vm.memory = 256 * MiB;
    linux_vm.cpus = 2;
    linux_vm.host_uuid = numbered_uuid('b', 1);
    linux_vm.disks = {disk(0, DiskBus::virtio, directory), disk(1, DiskBus::virtio, directory)};
    linux_vm.cdroms = {CdRomSpec{CdRomId(numbered_uuid('e', 0)), 0, ""}};
    linux_vm.nics = {nic(1, network)};
    linux_vm.nics[0].target_name = "vnic7.0";
    linux_vm.console_password = "s3cret";
    linux_vm.watchdog = "reset";
    linux_vm.serial_log = directory + "/serial.log";

    VmSpec minimal;
    minimal.vm = VmId(numbered_uuid('a', 2));
    minimal.memory = 64 * MiB;
    minimal.guest_agent_channel = false;

    VmSpec windows = linux_vm;
    windows.vm = VmId(numbered_uuid('a', 3));
    windows.platform = "Windows";
    windows.disks = {disk(0, DiskBus::sata, directory)};
    windows.cdroms = {CdRomSpec{CdRomId(numbered_uuid('e', 0)), 0, directory + "/boot.iso"},
                      CdRomSpec{CdRomId(numbered_uuid('e', 1)), 1, ""}};
    windows.nics[0].model = "e1000";
    windows.boot_order = {BootDevice::cdrom, BootDevice::hard_disk};
    windows.firmware = Firmware::uefi;

    VmSpec old = linux_vm;
    old.vm = VmId(numbered_uuid('a', 4));
    old.machine = "pc";
    old.disks = {disk(0, DiskBus::ide, directory), disk(1, DiskBus::scsi, directory), disk(2, DiskBus::virtio, directory)};
    old.cdroms = {CdRomSpec{CdRomId(numbered_uuid('e', 0)), 0, ""}, CdRomSpec{CdRomId(numbered_uuid('e', 1)), 1, ""}};
    old.boot_order = {BootDevice::network, BootDevice::hard_disk};
    old.nics = {nic(1, network), nic(2, network)};
    old.nics[1].link_up = false;
    old.nics[0].clean_traffic = true;
    old.nics[0].ip = "192.168.214.11";
    old.console_password.clear();

    VmSpec heads = minimal;
    heads.vm = VmId(numbered_uuid('a', 5));
    heads.monitors = 2;

    VmSpec shared = minimal;
    shared.vm = VmId(numbered_uuid('a', 6));
    shared.disks = {disk(0, DiskBus::scsi, directory), disk(1, DiskBus::virtio, directory)};
    shared.disks[1].format = "raw";
    shared.disks[1].path = directory + "/shared.raw";
    shared.disks[1].shareable = true;

    libvirt::HostProfile roomy = tcg;
    roomy.hotplug = true;
    libvirt::HostProfile no_direct = tcg;
    no_direct.allows_direct_io = [](const std::string&) { return false; };
    return {{"linux", linux_vm, tcg},         {"minimal", minimal, tcg},         {"windows_uefi", windows, tcg},
            {"old_machine", old, tcg},        {"two_monitors", heads, tcg},      {"shared_disk", shared, tcg},
            {"room_to_grow", minimal, roomy}, {"page_cache", shared, no_direct}, {"linux_kvm", linux_vm, kvm}};
}

}  // namespace hvagent::testing
