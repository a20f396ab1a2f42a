#include "drivers/libvirt/domain_xml/domain_disks.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

pugi::xml_document parse(const std::string& xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_string(xml.c_str());
    if (!result) throw Error(Code::internal, std::string("libvirt's domain XML cannot be read: ") + result.description());
    return document;
}

std::string text_of(const pugi::xml_node& node) {
    std::ostringstream text;
    node.print(text, "", pugi::format_raw, pugi::encoding_utf8);
    return text.str();
}

// A layer that is no file (a block device, a network image) is told by what names it.
std::string path_of(const pugi::xml_node& source) {
    for (const char* name : {"file", "dev", "name"})
        if (const auto attribute = source.attribute(name)) return attribute.value();
    return {};
}

std::vector<DomainLayer> layers_of(pugi::xml_node disk) {
    std::vector<DomainLayer> layers;
    for (pugi::xml_node layer = disk; layer; layer = layer.child("backingStore")) {
        const pugi::xml_node source = layer.child("source");
        if (!source) break;
        // The active layer carries its number at the source, those below at themselves.
        const pugi::xml_attribute index = layer == disk ? source.attribute("index") : layer.attribute("index");
        layers.push_back({path_of(source), index.as_int()});
    }
    return layers;
}

DiskThrottle throttle_of(const pugi::xml_node& disk) {
    const pugi::xml_node tune = disk.child("iotune");
    const auto limit = [&](const char* name) { return std::int64_t{tune.child(name).text().as_llong()}; };
    return {limit("total_bytes_sec"), limit("read_bytes_sec"), limit("write_bytes_sec"),
            limit("total_iops_sec"),  limit("read_iops_sec"),  limit("write_iops_sec")};
}

DomainDisk disk_of(const pugi::xml_node& node) {
    DomainDisk disk;
    const std::string serial = node.child("serial").text().get();
    if (is_uuid(serial)) disk.volume = VolumeId(serial);
    disk.target = node.child("target").attribute("dev").value();
    disk.bus = node.child("target").attribute("bus").value();
    disk.format = node.child("driver").attribute("type").value();
    disk.alias = node.child("alias").attribute("name").value();
    disk.layers = layers_of(node);
    disk.throttle = throttle_of(node);
    const pugi::xml_node mirror = node.child("mirror");
    disk.mirror_job = mirror.attribute("job").as_string(mirror ? "copy" : "");
    disk.mirror_ready = std::strcmp(mirror.attribute("ready").value(), "yes") == 0;
    return disk;
}

}  // namespace

std::vector<std::string> DomainDisk::chain() const {
    std::vector<std::string> paths;
    for (const DomainLayer& layer : layers) paths.push_back(layer.path);
    return paths;
}

const DomainDisk* DomainDisks::find(const VolumeId& volume) const {
    const auto found = std::find_if(disks.begin(), disks.end(), [&](const auto& disk) { return disk.volume == volume; });
    return found == disks.end() ? nullptr : &*found;
}

const DomainCdRom* DomainDisks::find_cdrom(int device_id) const {
    const auto found =
        std::find_if(cdroms.begin(), cdroms.end(), [&](const auto& drive) { return drive.device_id == device_id; });
    return found == cdroms.end() ? nullptr : &*found;
}

DomainDisks domain_disks(const std::string& domain_xml) {
    const pugi::xml_document document = parse(domain_xml);
    const pugi::xml_node domain = document.child("domain");
    const pugi::xml_node devices = domain.child("devices");
    DomainDisks found;
    found.machine = domain.child("os").child("type").attribute("machine").value();
    found.has_scsi_controller = static_cast<bool>(devices.find_child_by_attribute("controller", "type", "scsi"));
    for (const pugi::xml_node& node : devices.children("disk")) {
        const std::string target = node.child("target").attribute("dev").value();
        const std::string kind = node.attribute("device").as_string("disk");
        found.targets.push_back(target);
        if (kind == "disk") found.disks.push_back(disk_of(node));
        if (kind != "cdrom") continue;
        if (const auto device_id = xml::cdrom_id(target))
            found.cdroms.push_back({*device_id, target, path_of(node.child("source"))});
    }
    return found;
}

std::string new_disk_element(const DiskSpec& disk, const DomainDisks& present, const HostProfile& host) {
    pugi::xml_document document;
    DiskSpec there = disk;
    there.bus = xml::bus_on(disk.bus, present.machine.find("q35") != std::string::npos);
    const auto is_taken = [&](int index) {
        return std::find(present.targets.begin(), present.targets.end(), xml::disk_name(there.bus, index)) !=
               present.targets.end();
    };
    // A VM that was started by an earlier version counted its disks instead.
    int index = disk.device_id;
    while (is_taken(index)) ++index;
    xml::add_disk(document, there, index, 0, host);
    return text_of(document.first_child());
}

std::string disk_name_element(const DomainDisk& disk) {
    pugi::xml_document document;
    const pugi::xml_node node = xml::with(xml::with(document.append_child("disk"), "type", "file"), "device", "disk");
    pugi::xml_node shape = node;
    xml::with(xml::with(shape.append_child("target"), "dev", disk.target), "bus", disk.bus);
    return text_of(document.first_child());
}

std::string scsi_controller_element() {
    return "<controller type='scsi' index='0' model='virtio-scsi'/>";
}

std::string cdrom_element(const std::string& domain_xml, const std::string& target, const std::string& iso_path) {
    const pugi::xml_document document = parse(domain_xml);
    for (pugi::xml_node node : document.child("domain").child("devices").children("disk")) {
        if (target != node.child("target").attribute("dev").value()) continue;
        // Of the old medium.
        for (const char* name : {"source", "backingStore"})
            while (node.remove_child(name)) continue;
        node.attribute("type").set_value("file");
        node.child("target").remove_attribute("tray");
        if (!iso_path.empty())
            xml::with(node.insert_child_before("source", node.child("target")), "file",
                      xml::checked_name(iso_path, "the path of an ISO"));
        return text_of(node);
    }
    throw Error(Code::not_found, "no CD drive is named " + target);
}

}  // namespace hvagent::libvirt
