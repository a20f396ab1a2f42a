// <disk device='cdrom'>.
#include <algorithm>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

// CDs sit at fixed places of the first controller, counted from its end, so that device ids keep their drive when disks of
// the same bus come or go. A SATA controller has six places, an i440fx' IDE has four.
constexpr int most_sata_cdroms = 5;
constexpr int most_ide_cdroms = 3;

struct Place {
    std::string bus, target;
    int controller = 0, bus_number = 0, unit = 0;
};

Place place_of(int device_id, bool q35) {
    Place place;
    if (q35) {
        place.bus = "sata";
        place.unit = 5 - device_id;
        place.target = std::string("sd") + static_cast<char>('z' - device_id);
    } else {
        const int slot = 3 - device_id;
        place.bus = "ide";
        place.bus_number = slot / 2;
        place.unit = slot % 2;
        place.target = std::string("hd") + static_cast<char>('a' + slot);
    }
    return place;
}

void add_cdrom(pugi::xml_node devices, const CdRomSpec& cdrom, const Place& place, int boot) {
    pugi::xml_node node = with(with(devices.append_child("disk"), "type", "file"), "device", "cdrom");
    with(with(node.append_child("driver"), "name", "qemu"), "type", "raw");
    if (!cdrom.iso_path.empty())
        with(node.append_child("source"), "file", checked_name(cdrom.iso_path, "the path of an ISO"));
    with(with(node.append_child("target"), "dev", place.target), "bus", place.bus);
    node.append_child("readonly");
    if (boot > 0) with(node.append_child("boot"), "order", std::to_string(boot));
    pugi::xml_node address = with(node.append_child("address"), "type", "drive");
    with(with(address, "controller", std::to_string(place.controller)), "bus", std::to_string(place.bus_number));
    with(with(address, "target", "0"), "unit", std::to_string(place.unit));
}

}  // namespace

std::optional<int> cdrom_id(const std::string& target) {
    for (const bool q35 : {true, false})
        for (int id = 0; id < (q35 ? most_sata_cdroms : most_ide_cdroms); ++id)
            if (place_of(id, q35).target == target) return id;
    return std::nullopt;
}

void add_cdroms(pugi::xml_node devices, const VmSpec& spec) {
    const bool q35 = devices.find_child_by_attribute("controller", "model", "pcie-root");
    const int most = q35 ? most_sata_cdroms : most_ide_cdroms;
    int index = 0;
    std::vector<CdRomSpec> cdroms = spec.cdroms;
    std::stable_sort(cdroms.begin(), cdroms.end(), [](const auto& a, const auto& b) { return a.device_id < b.device_id; });
    for (const CdRomSpec& cdrom : cdroms) {
        if (cdrom.device_id < 0 || cdrom.device_id >= most)
            throw Error(Code::invalid_argument,
                        "a VM has CD drives 0 to " + std::to_string(most - 1) + ", not " + std::to_string(cdrom.device_id));
        add_cdrom(devices, cdrom, place_of(cdrom.device_id, q35), boot_number(spec, BootDevice::cdrom, index++));
    }
}

}  // namespace hvagent::libvirt::xml
