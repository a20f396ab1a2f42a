// Everything a domain is made of, in values: what the libvirt driver turns into XML.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent {

// Limits of a disk; 0: none. A total excludes limits of its directions.
struct DiskThrottle {
    std::int64_t total_bandwidth = 0;  // bytes per second
    std::int64_t read_bandwidth = 0;
    std::int64_t write_bandwidth = 0;
    std::int64_t total_iops = 0;
    std::int64_t read_iops = 0;
    std::int64_t write_iops = 0;
    bool operator==(const DiskThrottle&) const = default;
};

enum class DiskBus { virtio, sata, ide, scsi };

struct DiskSpec {
    VolumeId volume;
    std::string path;  // absolute
    std::string format = "qcow2";
    DiskBus bus = DiskBus::virtio;
    int device_id = 0;  // 0 is the root disk
    bool shareable = false;
    DiskThrottle throttle;
};

struct CdRomSpec {
    CdRomId cdrom;
    int device_id = 0;
    std::string iso_path;  // empty: no medium
};

struct NicSpec {
    NicId nic;
    std::string mac;
    std::string network;           // libvirt network, or
    std::string bridge;            // an existing bridge; exactly one of the two is set
    std::string model = "virtio";  // "e1000", "rtl8139"...
    std::string target_name;       // of the tap device; empty: libvirt's choice
    bool link_up = true;
    bool clean_traffic = false;  // libvirt's nwfilter against spoofing
    std::string ip;              // for clean traffic
};

enum class BootDevice { hard_disk, cdrom, network };
enum class Firmware { bios, uefi };
enum class ConsoleMode { vnc, spice, vnc_and_spice };

struct VmSpec {
    VmId vm;
    std::string title;  // the VM's name: shown by `virsh list --title`
    std::string description;
    Bytes memory = 0;
    int cpus = 1;
    std::string architecture = "x86_64";
    std::string platform = "Linux";  // Windows gets Hyper-V enlightenments and local time
    std::string machine;             // empty: the driver's default ("q35")
    Firmware firmware = Firmware::bios;
    std::vector<DiskSpec> disks;
    std::vector<CdRomSpec> cdroms;
    std::vector<NicSpec> nics;
    std::vector<BootDevice> boot_order = {BootDevice::hard_disk, BootDevice::cdrom, BootDevice::network};
    bool guest_agent_channel = true;
    ConsoleMode console = ConsoleMode::vnc;
    std::string console_password;  // secret; empty: none
    int monitors = 1;
    bool usb_redirect = false;
    std::string watchdog;    // what happens when the guest stops feeding it: "reset", "pause"...; empty: there is none
    std::string serial_log;  // file that receives what the guest prints on its first serial port; empty: none
    std::string host_uuid;   // written into the metadata with the owner's mark
};

}  // namespace hvagent
