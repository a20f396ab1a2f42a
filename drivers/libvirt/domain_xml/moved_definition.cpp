#include "drivers/libvirt/domain_xml/moved_definition.h"

#include <algorithm>
#include <cstring>
#include <pugixml.hpp>
#include <sstream>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "drivers/libvirt/owned_domains.h"
#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

pugi::xml_document parse(const std::string& xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_string(xml.c_str());
    if (!result) throw Error(Code::internal, std::string("libvirt's XML cannot be read: ") + result.description());
    return document;
}

std::string text_of(const pugi::xml_node& node) {
    std::ostringstream text;
    node.print(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

// Every source and log of a device, at any depth: disks have a source, and one in each layer below; a serial port has a log,
// and its twin of the name console another.
class FilePlacer : public pugi::xml_tree_walker {
public:
    explicit FilePlacer(const std::map<std::string, std::string>& paths) : paths_(paths) {}
    bool for_each(pugi::xml_node& node) override {
        if (std::strcmp(node.name(), "source") != 0 && std::strcmp(node.name(), "log") != 0) return true;
        for (const char* name : {"file", "dev", "path"}) {
            pugi::xml_attribute attribute = node.attribute(name);
            if (!attribute) continue;
            if (const auto there = paths_.find(attribute.value()); there != paths_.end())
                attribute.set_value(xml::checked_name(there->second, "the path at the destination").c_str());
        }
        return true;
    }

private:
    const std::map<std::string, std::string>& paths_;
};

void place_nic(pugi::xml_node node, const MigrationPlaces::Nic& there) {
    if (there.network.empty() == there.bridge.empty())
        throw Error(Code::invalid_argument, "NIC " + there.mac + " needs either a network or a bridge at the destination");
    const bool on_bridge = there.network.empty();
    while (node.remove_child("source")) continue;
    node.attribute("type").set_value(on_bridge ? "bridge" : "network");
    pugi::xml_node source = node.insert_child_after("source", node.child("mac"));
    if (on_bridge)
        xml::with(source, "bridge", xml::checked_name(there.bridge, "the bridge"));
    else
        xml::with(source, "network", xml::checked_name(there.network, "the network"));
    while (node.remove_child("target")) continue;
    if (!there.target_name.empty())
        xml::with(node.insert_child_after("target", source), "dev",
                  xml::checked_name(there.target_name, "the name of a network device"));
}

void place_nics(pugi::xml_node devices, const std::vector<MigrationPlaces::Nic>& nics) {
    for (const MigrationPlaces::Nic& there : nics) {
        const auto is_it = [&](const pugi::xml_node& node) {
            return there.mac == node.child("mac").attribute("address").value();
        };
        bool found = false;
        for (pugi::xml_node node : devices.children("interface")) {
            if (!is_it(node)) continue;
            place_nic(node, there);
            found = true;
        }
        if (!found) throw Error(Code::invalid_argument, "the VM has no NIC of MAC address " + there.mac);
    }
}

void place_mark(pugi::xml_node domain, const std::string& host_uuid) {
    const std::string name = std::string(mark_prefix) + ":vm";
    pugi::xml_node mark = domain.child("metadata").child(name.c_str());
    if (!mark) throw Error(Code::internal, "the definition of a VM of ours carries no mark");
    if (!mark.attribute("host")) mark.append_attribute("host");
    mark.attribute("host").set_value(xml::safe_text(host_uuid).c_str());
}

// "pci 0000:03:00.0", or what else there is to say.
std::string host_device_name(const pugi::xml_node& node) {
    std::string name = node.attribute("type").as_string(node.attribute("mode").value());
    const pugi::xml_node address = node.child("source").child("address");
    for (const char* part : {"domain", "bus", "slot", "device", "function", "uuid"})
        if (const auto value = address.attribute(part)) name += std::string(" ") + part + " " + value.value();
    return name;
}

void note_disks(pugi::xml_node devices, std::vector<std::string>& sentences) {
    for (const pugi::xml_node disk : devices.children("disk")) {
        const std::string target = disk.child("target").attribute("dev").value();
        if (const pugi::xml_node mirror = disk.child("mirror"))
            sentences.push_back("disk " + target + " is at work for a block job (" +
                                mirror.attribute("job").as_string("copy") + ")");
    }
}

}  // namespace

std::string moved_definition(const std::string& domain_xml, const MigrationPlaces& places) {
    pugi::xml_document document = parse(domain_xml);
    pugi::xml_node domain = document.child("domain");
    FilePlacer files(places.paths);
    domain.child("devices").traverse(files);
    place_nics(domain.child("devices"), places.nics);
    if (!places.host_uuid.empty()) place_mark(domain, places.host_uuid);
    return text_of(domain);
}

GuestNeeds guest_needs(const std::string& domain_xml) {
    const pugi::xml_document document = parse(domain_xml);
    const pugi::xml_node domain = document.child("domain");
    const pugi::xml_node type = domain.child("os").child("type");
    GuestNeeds needs{domain.attribute("type").value(), type.attribute("arch").value(), type.attribute("machine").value(), "",
                     ""};
    if (const pugi::xml_node cpu = domain.child("cpu")) needs.cpu = text_of(cpu);
    // With a type of its own it is described below, as a disk is (libvirt 8.5).
    const pugi::xml_node nvram = domain.child("os").child("nvram");
    needs.nvram = nvram.attribute("type") ? nvram.child("source").attribute("file").value() : nvram.child_value();
    return needs;
}

bool is_host_cpu(const std::string& cpu_element) {
    if (cpu_element.empty()) return false;
    const pugi::xml_document document = parse(cpu_element);
    const std::string mode = document.child("cpu").attribute("mode").value();
    return mode == "host-passthrough" || mode == "host-model" || mode == "maximum";
}

std::string host_model(const std::string& domain_capabilities) {
    const pugi::xml_document document = parse(domain_capabilities);
    const pugi::xml_node cpu = document.child("domainCapabilities").child("cpu");
    const pugi::xml_node mode = cpu.find_child_by_attribute("mode", "name", "host-model");
    if (!mode || std::strcmp(mode.attribute("supported").value(), "yes") != 0) return {};
    pugi::xml_document made;
    pugi::xml_node element = made.append_child("cpu");
    xml::with(xml::with(element, "mode", "custom"), "match", "exact");
    for (const pugi::xml_node part : mode.children()) element.append_copy(part);
    return text_of(element);
}

std::vector<std::string> devices_that_stay(const std::string& domain_xml) {
    const pugi::xml_document document = parse(domain_xml);
    const pugi::xml_node devices = document.child("domain").child("devices");
    std::vector<std::string> sentences;
    for (const pugi::xml_node node : devices.children("hostdev"))
        sentences.push_back("it uses a device of the host (" + host_device_name(node) + ")");
    for (const pugi::xml_node node : devices.children("interface"))
        if (std::strcmp(node.attribute("type").value(), "hostdev") == 0)
            sentences.push_back("NIC " + std::string(node.child("mac").attribute("address").value()) +
                                " is a device of the host");
    for (const pugi::xml_node node : devices.children("filesystem"))
        sentences.push_back("it uses a directory of the host (" +
                            std::string(node.child("target").attribute("dir").value()) + ")");
    for ([[maybe_unused]] const pugi::xml_node node : devices.children("shmem"))
        sentences.push_back("it shares memory with others on the host");
    note_disks(devices, sentences);
    return sentences;
}

std::string mark_element(const std::string& host_uuid) {
    pugi::xml_document document;
    return text_of(xml::with(document.append_child("vm"), "host", xml::safe_text(host_uuid)));
}

}  // namespace hvagent::libvirt
