#include "drivers/libvirt/libvirt_virtual_networks.h"

#include <libvirt/virterror.h>
#include <strings.h>
#include <unistd.h>

#include "drivers/libvirt/dhcp_leases.h"
#include "drivers/libvirt/network_xml.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

Network find_network(virConnectPtr connection, const std::string& name) {
    Network found(virNetworkLookupByName(connection, name.c_str()));
    if (!found && last_error_number() != VIR_ERR_NO_NETWORK) throw_last_error("look for network " + name);
    return found;
}

Network get_network(virConnectPtr connection, const std::string& name) {
    Network found = find_network(connection, name);
    if (!found) throw Error(Code::not_found, "libvirt has no network \"" + name + "\"");
    return found;
}

std::string xml_of(virNetworkPtr network, unsigned flags) {
    // A driver with one definition for both (libvirt's test driver) knows no flags.
    if (Text xml(virNetworkGetXMLDesc(network, flags)); xml || flags == 0 || last_error_number() != VIR_ERR_INVALID_ARG)
        return checked(xml.get(), "read a network's definition");
    return Text(checked(virNetworkGetXMLDesc(network, 0), "read a network's definition")).get();
}

void activate(virNetworkPtr network, const std::string& what) {
    if (checked(virNetworkIsActive(network), what) == 0 && virNetworkCreate(network) < 0 &&
        (last_error_number() != VIR_ERR_OPERATION_INVALID || virNetworkIsActive(network) != 1))
        throw_last_error(what);
    checked(virNetworkSetAutostart(network, 1), what);
}

void ensure(virConnectPtr connection, const NatNetworkSpec& spec) {
    const std::string what = "start network " + spec.name;
    const std::string xml = network_xml(spec);
    if (const Network existing = find_network(connection, spec.name)) {
        const std::string found = xml_of(existing.get(), VIR_NETWORK_XML_INACTIVE);
        const std::string unlike = difference(found, spec);
        if (!unlike.empty())
            throw Error(Code::operation_failed, "libvirt has a network \"" + spec.name + "\" already, but " + unlike);
        // libvirt cannot change them while VMs are plugged in.
        if (!has_dns_of(found, spec))
            log::warning("a network keeps other DNS settings than the configured ones until it is removed",
                         {{"network", spec.name}});
        return activate(existing.get(), what);
    }
    const Network made(checked(virNetworkDefineXML(connection, xml.c_str()), "define network " + spec.name));
    try {
        activate(made.get(), what);
    } catch (...) {
        virNetworkUndefine(made.get());  // else the next try would find it and call it ours
        throw;
    }
}

void remove(virConnectPtr connection, const std::string& name) {
    const Network network = find_network(connection, name);
    if (!network) return;
    if (virNetworkIsActive(network.get()) == 1) checked(virNetworkDestroy(network.get()), "stop network " + name);
    if (virNetworkUndefine(network.get()) < 0 && last_error_number() != VIR_ERR_NO_NETWORK)
        throw_last_error("remove network " + name);
}

bool same_mac(const std::string& a, const std::string& b) {
    return strcasecmp(a.c_str(), b.c_str()) == 0;
}

// One of the two lists a network has: what dnsmasq serves now, and what it will after the next start.
struct HostList {
    virNetworkPtr network;
    unsigned scope;  // VIR_NETWORK_UPDATE_AFFECT_LIVE or _CONFIG

    std::vector<DhcpHost> entries() const {
        return dhcp_hosts(
            xml_of(network, scope == VIR_NETWORK_UPDATE_AFFECT_CONFIG ? unsigned{VIR_NETWORK_XML_INACTIVE} : 0u));
    }
    void change(unsigned command, const DhcpHost& host) const {
        checked(virNetworkUpdate(network, command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, dhcp_host_xml(host).c_str(), scope),
                "change the DHCP entry of " + host.mac);
    }
    void drop(const DhcpHost& host) const {
        if (scope == VIR_NETWORK_UPDATE_AFFECT_LIVE) give_back_leases(network, host.mac);
        change(VIR_NETWORK_UPDATE_COMMAND_DELETE, host);
    }
};

std::vector<HostList> lists_of(virNetworkPtr network) {
    std::vector<HostList> lists;
    if (virNetworkIsPersistent(network) == 1) lists.push_back({network, VIR_NETWORK_UPDATE_AFFECT_CONFIG});
    if (virNetworkIsActive(network) == 1) lists.push_back({network, VIR_NETWORK_UPDATE_AFFECT_LIVE});
    return lists;
}

// Each live change makes libvirt restart or signal dnsmasq (0.3 s): as few as possible.
void put(const HostList& list, const DhcpHost& host) {
    bool same_host = false;
    for (const DhcpHost& entry : list.entries()) {
        const bool mac = same_mac(entry.mac, host.mac);
        if (mac && entry.ip == host.ip && entry.hostname == host.hostname) return;
        same_host = same_host || mac;
        if (mac) continue;
        if (entry.ip == host.ip)
            list.drop(entry);
        else if (!host.hostname.empty() && entry.hostname == host.hostname)
            throw Error(Code::operation_failed,
                        "the host name \"" + host.hostname + "\" has the address " + entry.ip + " already");
    }
    list.change(same_host ? VIR_NETWORK_UPDATE_COMMAND_MODIFY : VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, host);
}

}  // namespace

LibvirtVirtualNetworks::LibvirtVirtualNetworks(CallRunner& work, CallRunner& queries, CallTimeouts timeouts)
    : work_(work), queries_(queries), timeouts_(timeouts) {}

void LibvirtVirtualNetworks::ensure_nat_network(const NatNetworkSpec& spec) {
    work_.run({"start network " + spec.name, VmId()}, timeouts_.call, [spec, changing = changing_](Session& session) {
        std::lock_guard lock(*changing);
        ensure(session.connection(), spec);
    });
}

void LibvirtVirtualNetworks::remove_network(const std::string& name) {
    work_.run({"remove network " + name, VmId()}, timeouts_.call, [name, changing = changing_](Session& session) {
        std::lock_guard lock(*changing);
        remove(session.connection(), name);
    });
}

bool LibvirtVirtualNetworks::network_is_active(const std::string& name) {
    return queries_.run({"look at network " + name, VmId(), false, true}, timeouts_.query, [name](Session& session) {
        const Network network = find_network(session.connection(), name);
        return network && checked(virNetworkIsActive(network.get()), "look at network " + name) == 1;
    });
}

void LibvirtVirtualNetworks::put_dhcp_host(const std::string& network, const DhcpHost& host) {
    work_.run({"change network " + network, VmId()}, timeouts_.call,
              [network, host, changing = changing_](Session& session) {
                  std::lock_guard lock(*changing);
                  const Network found = get_network(session.connection(), network);
                  for (const HostList& list : lists_of(found.get())) put(list, host);
              });
}

void LibvirtVirtualNetworks::remove_dhcp_host(const std::string& network, const std::string& mac) {
    work_.run({"change network " + network, VmId()}, timeouts_.call, [network, mac, changing = changing_](Session& session) {
        std::lock_guard lock(*changing);
        const Network found = find_network(session.connection(), network);
        if (!found) return;
        for (const HostList& list : lists_of(found.get()))
            for (const DhcpHost& entry : list.entries())
                if (same_mac(entry.mac, mac)) list.drop(entry);
    });
}

std::vector<DhcpHost> LibvirtVirtualNetworks::list_dhcp_hosts(const std::string& network) {
    return queries_.run({"look at network " + network, VmId(), false, true}, timeouts_.query, [network](Session& session) {
        return dhcp_hosts(xml_of(get_network(session.connection(), network).get(), 0));
    });
}

bool LibvirtVirtualNetworks::bridge_exists(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos) return false;
    return access(("/sys/class/net/" + name + "/bridge").c_str(), F_OK) == 0;
}

}  // namespace hvagent::libvirt
