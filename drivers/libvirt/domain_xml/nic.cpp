// <interface>.
#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

void add_source(pugi::xml_node node, const NicSpec& nic) {
    if (nic.network.empty() == nic.bridge.empty())
        throw Error(Code::invalid_argument, "NIC " + nic.nic.str() + " needs either a network or a bridge");
    if (!nic.network.empty())
        with(with(node, "type", "network").append_child("source"), "network", checked_name(nic.network, "the network"));
    else
        with(with(node, "type", "bridge").append_child("source"), "bridge", checked_name(nic.bridge, "the bridge"));
}

void add_filter(pugi::xml_node node, const NicSpec& nic) {
    pugi::xml_node filter = with(node.append_child("filterref"), "filter", "clean-traffic");
    // Without the address libvirt would learn it from the guest's packets, which fails on a live change.
    if (!nic.ip.empty())
        with(with(filter.append_child("parameter"), "name", "IP"), "value", checked_name(nic.ip, "an address"));
}

void add_nic(pugi::xml_node devices, const NicSpec& nic, int boot) {
    pugi::xml_node node = devices.append_child("interface");
    add_source(node, nic);
    if (!nic.mac.empty()) with(node.append_child("mac"), "address", nic.mac);
    if (!nic.target_name.empty()) {
        if (nic.target_name.size() > 15)
            throw Error(Code::invalid_argument,
                        "the name \"" + safe_text(nic.target_name) + "\" of a network device has more than 15 characters");
        with(node.append_child("target"), "dev", checked_name(nic.target_name, "the name of a network device"));
    }
    with(node.append_child("model"), "type", checked_name(nic.model, "the model of a NIC"));
    if (nic.clean_traffic) add_filter(node, nic);
    with(node.append_child("link"), "state", nic.link_up ? "up" : "down");
    if (boot > 0) with(node.append_child("boot"), "order", std::to_string(boot));
}

}  // namespace

void add_nics(pugi::xml_node devices, const VmSpec& spec) {
    int index = 0;
    for (const NicSpec& nic : spec.nics) add_nic(devices, nic, boot_number(spec, BootDevice::network, index++));
}

}  // namespace hvagent::libvirt::xml
