// Addresses given to NICs, and the host's side of it: DHCP entries, and where a NIC plugs in.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"
#include "hvagent/drivers/virtual_networks.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent::operations {

// Thread-safe.
class AddressBook {
public:
    AddressBook(const config::Settings& settings, inventory::Inventory& inventory, VirtualNetworks& networks);

    // Gives the NIC an address of its L3 network, `wanted` when that is set. Writes UsedIp and the NIC; one that has an
    // address keeps it. Error(no_free_ip) names the network, or the holder of the wanted address.
    void allocate(const NicId& nic, const std::string& wanted);
    // Keeps nic.ip of its L3 network for a NIC that may have no record yet; false where the network's addresses are not
    // ours to give. The NIC that has it already keeps it. Error(no_free_ip).
    bool reserve(const VmNic& nic);
    void release(const NicId& nic);
    // The errors that allocate() would give for `wanted` at this moment.
    void require_free(const L3NetworkId& l3_network, const std::string& wanted) const;
    std::string make_mac();  // "fa:..", not in use here
    bool mac_is_free(const std::string& mac) const;

    // Tells the host's DHCP server about the NIC (or that it is gone); networks without our DHCP are left alone.
    void publish(const VmNic& nic, const std::string& hostname);
    void withdraw(const VmNic& nic);
    // Where a NIC of this L3 network plugs in. Error(operation_failed) when the bridge is missing.
    void plug(const L3NetworkId& l3_network, NicSpec& spec);
    // True for the NAT network that the agent made: libvirt gives it DHCP.
    bool is_nat(const L3NetworkId& l3_network) const;
    NatNetworkSpec nat_spec() const;

private:
    struct Choice {
        IpRange range;
        std::uint32_t address;
    };
    // Whether the agent answers DHCP there: the NAT network, with the DHCP service attached.
    bool gives_addresses(const L3NetworkId& l3_network) const;
    std::optional<std::uint32_t> find_in(const IpRange& range, const std::string& wanted) const;
    Choice choose(const L3NetworkId& l3_network, const std::string& wanted) const;
    static UsedIp used_ip(const IpRange& range, const NicId& nic, std::uint32_t address);
    void write(const IpRange& range, const NicId& nic, std::uint32_t address);

    const config::Settings& settings_;
    inventory::Inventory& inventory_;
    VirtualNetworks& networks_;
    mutable std::mutex mutex_;
    // Addresses go round: dnsmasq gives none that another guest's lease still holds, and a guest whose plug was pulled
    // never released its own.
    std::map<IpRangeId, std::uint32_t> last_given_;
};

}  // namespace hvagent::operations
