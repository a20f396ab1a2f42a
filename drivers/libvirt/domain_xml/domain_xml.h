// The domain XML of a VM: VmSpec in, text out. One file per group of elements.
#pragma once
#include <functional>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "hvagent/model/vm_spec.h"

namespace hvagent::libvirt {

// What the XML needs to know about the host.
struct HostProfile {
    std::string virt_type = "qemu";  // "kvm" or "qemu" (TCG)
    int cpus = 1;
    std::string default_machine = "q35";
    bool has_spice = false;  // QEMU was built with it
    bool has_qxl = false;
    bool hotplug = false;      // leave room for CPUs and memory of a running VM
    int spare_pcie_ports = 8;  // each costs a booting guest about 0.1 s under TCG
    // Whether the file system of a path allows O_DIRECT: without, QEMU does not start with cache='none'.
    std::function<bool(const std::string& path)> allows_direct_io = [](const std::string&) { return true; };
    // Whether the kernel has contexts of asynchronous I/O to spare: a QEMU that gets none does not start with io='native'.
    std::function<bool()> has_native_io = [] { return true; };
};

// Error(invalid_argument) for what libvirt would misread or refuse late; Error(no_capability) for what the host has not.
std::string domain_xml(const VmSpec& spec, const HostProfile& host);

namespace xml {

// Parts of domain_xml(); each adds its elements below `parent`.
void add_metadata(pugi::xml_node domain, const VmSpec& spec);
void add_memory(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host);
void add_cpu(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host);
void add_os(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host);
void add_features(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host);
void add_clock(pugi::xml_node domain, const VmSpec& spec, const HostProfile& host);
void add_controllers(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host);
void add_disks(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host);
// `index` gives the disk its name and place: its device id, unless another one has taken that.
void add_disk(pugi::xml_node devices, const DiskSpec& disk, int index, int boot, const HostProfile& host);
void add_cdroms(pugi::xml_node devices, const VmSpec& spec);
void add_nics(pugi::xml_node devices, const VmSpec& spec);
void add_console(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host);
void add_serial(pugi::xml_node devices, const VmSpec& spec);
void add_channels(pugi::xml_node devices, const VmSpec& spec);
void add_extras(pugi::xml_node devices, const VmSpec& spec);

// "vda", "sdb"; sata and scsi disks share their letters with CD drives, whose names are left out.
std::string disk_name(DiskBus bus, int index);
// q35 has no IDE; its ATA controller is SATA, which the same guests have drivers for.
DiskBus bus_on(DiskBus bus, bool q35);
// The device id of the CD drive of this name; nullopt: add_cdroms() gives no drive such a name.
std::optional<int> cdrom_id(const std::string& target);

// Elements and attributes in one line.
pugi::xml_node child(pugi::xml_node parent, const char* name, const std::string& text = {});
pugi::xml_node with(pugi::xml_node node, const char* attribute, const std::string& value);

// Text of a client as XML can carry it: control characters and broken UTF-8 become '?', line ends become spaces.
std::string safe_text(const std::string& text);
// A file name or a name for the host; Error(invalid_argument) when it holds a control character or is no UTF-8.
const std::string& checked_name(const std::string& name, const std::string& what);

// Machine of the VM is PCI Express: devices sit behind root ports.
bool is_q35(const VmSpec& spec, const HostProfile& host);
// Place of a kind of device in the boot order, counted over devices: disks take one number, CDs and NICs one each.
// 0: not booted from. `index` counts devices of that kind.
int boot_number(const VmSpec& spec, BootDevice device, int index);

}  // namespace xml
}  // namespace hvagent::libvirt
