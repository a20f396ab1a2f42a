#include "drivers/libvirt/network_xml.h"

#include <arpa/inet.h>

#include <cctype>
#include <pugixml.hpp>
#include <sstream>
#include <string_view>

#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

constexpr std::size_t longest_device_name = 15;
constexpr std::size_t longest_name = 63;

bool is_word(const std::string& text, const char* also, std::size_t most) {
    if (text.empty() || text.size() > most) return false;
    for (char c : text)
        if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view(also).find(c) == std::string_view::npos)
            return false;
    return true;
}

bool is_address(const std::string& text) {
    in_addr four{};
    in6_addr six{};
    return inet_pton(AF_INET, text.c_str(), &four) == 1 || inet_pton(AF_INET6, text.c_str(), &six) == 1;
}

void require(bool good, const std::string& what, const std::string& value, const std::string& expected) {
    if (!good) throw Error(Code::invalid_argument, what + " \"" + value + "\" is not " + expected);
}

void check(const NatNetworkSpec& spec) {
    require(is_word(spec.name, "-_.", longest_name), "network name", spec.name, "1 to 63 letters, digits, '-', '_' or '.'");
    require(is_word(spec.bridge, "-_.", longest_device_name), "bridge", spec.bridge,
            "1 to 15 letters, digits, '-', '_' or '.'");
    require(is_address(spec.gateway), "gateway", spec.gateway, "an IP address");
    require(is_address(spec.netmask), "netmask", spec.netmask, "an IP netmask");
    require(spec.dns_domain.empty() || is_word(spec.dns_domain, "-.", 253), "DNS domain", spec.dns_domain, "a domain name");
    for (const std::string& server : spec.dns_servers) require(is_address(server), "DNS server", server, "an IP address");
}

pugi::xml_node with(pugi::xml_node node, const char* attribute, const std::string& value) {
    node.append_attribute(attribute).set_value(value.c_str());
    return node;
}

std::string text_of(const pugi::xml_document& document) {
    std::ostringstream text;
    document.save(text, "  ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

pugi::xml_document parse(const std::string& xml) {
    pugi::xml_document document;
    if (!document.load_string(xml.c_str())) throw Error(Code::internal, "libvirt's network XML cannot be read");
    return document;
}

// libvirt prints either a netmask or a prefix, whichever it was given.
std::string netmask_of(const pugi::xml_node& ip) {
    if (const auto netmask = ip.attribute("netmask")) return netmask.value();
    const unsigned prefix = ip.attribute("prefix").as_uint(32);
    in_addr mask{htonl(prefix == 0 ? 0u : ~0u << (32 - prefix))};
    char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, &mask, text, sizeof(text));
}

}  // namespace

std::string network_xml(const NatNetworkSpec& spec) {
    check(spec);
    pugi::xml_document document;
    pugi::xml_node network = document.append_child("network");
    network.append_child("name").text().set(spec.name.c_str());
    with(network.append_child("forward"), "mode", "nat");
    // A bridge that learns first keeps a booting guest without network for seconds.
    with(with(with(network.append_child("bridge"), "name", spec.bridge), "stp", "off"), "delay", "0");
    if (!spec.dns_domain.empty()) with(with(network.append_child("domain"), "name", spec.dns_domain), "localOnly", "yes");
    if (!spec.dns_servers.empty()) {
        pugi::xml_node dns = network.append_child("dns");
        for (const std::string& server : spec.dns_servers) with(dns.append_child("forwarder"), "addr", server);
    }
    // No range: only VMs we gave an address get one.
    with(with(network.append_child("ip"), "address", spec.gateway), "netmask", spec.netmask).append_child("dhcp");
    return text_of(document);
}

std::string difference(const std::string& xml, const NatNetworkSpec& spec) {
    const pugi::xml_document document = parse(xml);
    const pugi::xml_node network = document.child("network");
    const pugi::xml_node ip = network.child("ip");
    const auto unlike = [](const std::string& what, const std::string& has, const std::string& wanted) {
        return has == wanted ? std::string() : "its " + what + " is \"" + has + "\", not \"" + wanted + "\"";
    };
    for (const std::string& text :
         {unlike("forward mode", network.child("forward").attribute("mode").value(), "nat"),
          unlike("bridge", network.child("bridge").attribute("name").value(), spec.bridge),
          unlike("address", ip.attribute("address").value(), spec.gateway), unlike("netmask", netmask_of(ip), spec.netmask)})
        if (!text.empty()) return text;
    return {};
}

bool has_dns_of(const std::string& xml, const NatNetworkSpec& spec) {
    const pugi::xml_document document = parse(xml);
    const pugi::xml_node network = document.child("network");
    std::vector<std::string> servers;
    for (const pugi::xml_node& forwarder : network.child("dns").children("forwarder"))
        servers.emplace_back(forwarder.attribute("addr").value());
    return servers == spec.dns_servers && network.child("domain").attribute("name").value() == spec.dns_domain;
}

std::string gateway_of(const std::string& xml) {
    return parse(xml).child("network").child("ip").attribute("address").value();
}

std::vector<DhcpHost> dhcp_hosts(const std::string& xml) {
    const pugi::xml_document document = parse(xml);
    std::vector<DhcpHost> hosts;
    for (const pugi::xml_node& ip : document.child("network").children("ip"))
        for (const pugi::xml_node& host : ip.child("dhcp").children("host"))
            hosts.push_back({host.attribute("mac").value(), host.attribute("ip").value(), host.attribute("name").value()});
    return hosts;
}

std::string dhcp_host_xml(const DhcpHost& host) {
    require(is_word(host.mac, ":", 17), "MAC address", host.mac, "six hex pairs with colons");
    require(is_address(host.ip), "address", host.ip, "an IP address");
    require(host.hostname.empty() || is_word(host.hostname, "-.", longest_name), "host name", host.hostname,
            "1 to 63 letters, digits, '-' or '.'");
    pugi::xml_document document;
    pugi::xml_node node = with(with(document.append_child("host"), "mac", host.mac), "ip", host.ip);
    if (!host.hostname.empty()) with(node, "name", host.hostname);
    return text_of(document);
}

}  // namespace hvagent::libvirt
