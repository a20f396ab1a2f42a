#include "drivers/libvirt/domain_xml/live_definition.h"

#include <cstring>
#include <pugixml.hpp>

#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

pugi::xml_document parse(const std::string& xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_string(xml.c_str());
    if (!result) throw Error(Code::internal, std::string("libvirt's domain XML cannot be read: ") + result.description());
    return document;
}

Bytes kib(const pugi::xml_node& node) {
    return node.text().as_llong() * KiB;
}

}  // namespace

bool guest_agent_connected(const std::string& domain_xml) {
    const pugi::xml_document document = parse(domain_xml);
    for (const pugi::xml_node& channel : document.child("domain").child("devices").children("channel")) {
        const pugi::xml_node target = channel.child("target");
        if (std::strcmp(target.attribute("name").value(), "org.qemu.guest_agent.0") == 0)
            return std::strcmp(target.attribute("state").value(), "connected") == 0;
    }
    return false;
}

LiveMemory live_memory(const std::string& domain_xml) {
    const pugi::xml_document document = parse(domain_xml);
    const pugi::xml_node domain = document.child("domain");
    LiveMemory memory;
    memory.size = kib(domain.child("memory"));
    if (const pugi::xml_node most = domain.child("maxMemory")) {
        memory.most = kib(most);
        memory.free_slots = most.attribute("slots").as_int();
    }
    for ([[maybe_unused]] const pugi::xml_node& dimm : domain.child("devices").children("memory")) --memory.free_slots;
    return memory;
}

std::string memory_device(Bytes size) {
    return "<memory model='dimm'><target><size unit='KiB'>" + std::to_string(size / KiB) +
           "</size><node>0</node></target></memory>";
}

}  // namespace hvagent::libvirt
