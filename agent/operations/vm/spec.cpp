// From the records of a VM to what the driver defines.
#include <algorithm>

#include "agent/operations/cdrom/boot_order.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/vm/parts.h"
#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/disk_spec.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

void add_cdroms(Services& services, const Vm& vm, VmSpec& spec) {
    for (const VmCdRom& cdrom : services.inventory.list<VmCdRom>({{"vmInstanceUuid", vm.uuid.str()}})) {
        if (!cdrom.iso_path.empty() && !services.files.exists(cdrom.iso_path))
            throw Error(Code::operation_failed,
                        "the ISO of CD-ROM " + std::to_string(cdrom.device_id) + " is gone: " + cdrom.iso_path);
        spec.cdroms.push_back({cdrom.uuid, cdrom.device_id, cdrom.iso_path});
    }
}

void add_nics(Services& services, const Vm& vm, const std::vector<std::string>& tags, VmSpec& spec) {
    auto nics = services.inventory.list<VmNic>({{"vmInstanceUuid", vm.uuid.str()}});
    std::sort(nics.begin(), nics.end(), [](const VmNic& a, const VmNic& b) { return a.device_id < b.device_id; });
    for (const VmNic& nic : nics) {
        NicSpec plug;
        plug.nic = nic.uuid;
        plug.mac = nic.mac;
        plug.model = nic.driver_type;
        plug.target_name = nic.internal_name;
        plug.link_up = nic.state == "enable";
        plug.clean_traffic = tag_value(tags, "cleanTraffic") == "true";
        plug.ip = nic.ip;
        services.addresses.plug(nic.l3_network, plug);
        spec.nics.push_back(plug);
    }
}

}  // namespace

std::string hostname_of(Services& services, const VmId& vm) {
    return tag_value(system_tags_of(services.inventory, vm.str()), "hostname");
}

VmSpec make_spec(Services& services, const Vm& vm) {
    const std::vector<std::string> tags = system_tags_of(services.inventory, vm.uuid.str());
    VmSpec spec;
    spec.vm = vm.uuid;
    spec.title = vm.name;
    spec.description = vm.description;
    spec.memory = vm.memory;
    spec.cpus = vm.cpus;
    spec.architecture = vm.architecture;
    spec.platform = vm.platform;
    spec.machine = tag_value(tags, "vmMachineType");
    spec.firmware = tag_value(tags, "bootMode") == "UEFI" ? Firmware::uefi : Firmware::bios;
    spec.boot_order = boot_order_of(tags);
    const std::string console = tag_value(tags, "vmConsoleMode");
    spec.console = console == "spice"         ? ConsoleMode::spice
                   : console == "vncAndSpice" ? ConsoleMode::vnc_and_spice
                                              : ConsoleMode::vnc;
    spec.console_password = tag_value(tags, "consolePassword");
    const std::string monitors = tag_value(tags, "VDIMonitorNumber");
    if (!monitors.empty()) spec.monitors = std::stoi(monitors);
    spec.usb_redirect = tag_value(tags, "usbRedirect") == "true";
    spec.watchdog = tag_value(tags, "watchdog");
    spec.serial_log = services.settings.state_directory + "/serial/" + vm.uuid.str() + ".log";
    spec.host_uuid = services.host.str();
    spec.disks = make_disks(services, vm);
    add_cdroms(services, vm, spec);
    add_nics(services, vm, tags, spec);
    return spec;
}

}  // namespace hvagent::operations
