#include "agent/operations/network/address_book.h"

#include <random>
#include <set>

#include "agent/operations/network/ipv4.h"
#include "agent/operations/network/nat.h"
#include "hvagent/error.h"

namespace hvagent::operations {

AddressBook::AddressBook(const config::Settings& settings, inventory::Inventory& inventory, VirtualNetworks& networks)
    : settings_(settings), inventory_(inventory), networks_(networks) {}

UsedIp AddressBook::used_ip(const IpRange& range, const NicId& nic, std::uint32_t address) {
    UsedIp used;
    used.uuid = UsedIpId::make();
    used.ip_range = range.uuid;
    used.l3_network = range.l3_network;
    used.nic = nic;
    used.ip = ipv4_text(address);
    used.ip_number = address;
    used.netmask = range.netmask;
    used.gateway = range.gateway;
    return used;
}

void AddressBook::write(const IpRange& range, const NicId& nic, std::uint32_t address) {
    const UsedIp used = used_ip(range, nic, address);
    inventory_.transaction([&] {
        inventory_.insert(used);
        inventory_.modify<VmNic>(nic, [&](VmNic& record) {
            record.ip = used.ip;
            record.netmask = used.netmask;
            record.gateway = used.gateway;
            record.used_ip = used.uuid;
        });
    });
}

// nullopt: this range has not what is asked for.
std::optional<std::uint32_t> AddressBook::find_in(const IpRange& range, const std::string& wanted) const {
    const auto first = parse_ipv4(range.start_ip);
    const auto last = parse_ipv4(range.end_ip);
    if (!first || !last) return std::nullopt;
    std::set<std::int64_t> taken;
    for (const UsedIp& used : inventory_.list<UsedIp>({{"l3NetworkUuid", range.l3_network.str()}})) {
        if (used.ip == wanted) throw Error(Code::no_free_ip, "the address " + wanted + " is taken by NIC " + used.nic.str());
        taken.insert(used.ip_number);
    }
    if (const auto gateway = parse_ipv4(range.gateway)) taken.insert(*gateway);
    if (!wanted.empty()) {
        const auto address = parse_ipv4(wanted);
        if (!address || *address < *first || *address > *last || taken.contains(*address)) return std::nullopt;
        return address;
    }
    const auto given = last_given_.find(range.uuid);
    const std::uint64_t count = std::uint64_t{*last} - *first + 1;
    const std::uint64_t start =
        given != last_given_.end() && given->second >= *first && given->second < *last ? given->second - *first + 1 : 0;
    for (std::uint64_t step = 0; *first <= *last && step < count; ++step) {
        const std::uint64_t address = *first + (start + step) % count;
        if (!taken.contains(static_cast<std::int64_t>(address))) return static_cast<std::uint32_t>(address);
    }
    return std::nullopt;
}

AddressBook::Choice AddressBook::choose(const L3NetworkId& l3_network, const std::string& wanted) const {
    for (const IpRange& range : inventory_.list<IpRange>({{"l3NetworkUuid", l3_network.str()}}))
        if (const auto address = find_in(range, wanted)) return {range, *address};
    const std::string name = inventory_.get<L3Network>(l3_network).name;
    throw Error(Code::no_free_ip, wanted.empty() ? "no address is left in the L3 network " + name
                                                 : "the address " + wanted + " lies in no range of the L3 network " + name);
}

void AddressBook::require_free(const L3NetworkId& l3_network, const std::string& wanted) const {
    std::lock_guard lock(mutex_);
    choose(l3_network, wanted);
}

void AddressBook::allocate(const NicId& nic, const std::string& wanted) {
    std::lock_guard lock(mutex_);
    const VmNic record = inventory_.get<VmNic>(nic);
    if (!record.used_ip.empty()) return;
    const bool is_managed = !inventory_.list<IpRange>({{"l3NetworkUuid", record.l3_network.str()}}).empty();
    if (!is_managed && wanted.empty()) return;
    const Choice choice = choose(record.l3_network, wanted);
    write(choice.range, nic, choice.address);
    if (wanted.empty()) last_given_[choice.range.uuid] = choice.address;
}

bool AddressBook::reserve(const VmNic& nic) {
    std::lock_guard lock(mutex_);
    if (nic.ip.empty() || inventory_.count<IpRange>({{"l3NetworkUuid", nic.l3_network.str()}}) == 0) return false;
    for (const UsedIp& used : inventory_.list<UsedIp>({{"vmNicUuid", nic.uuid.str()}}))
        if (used.ip == nic.ip && used.l3_network == nic.l3_network) return true;
    const Choice choice = choose(nic.l3_network, nic.ip);
    inventory_.insert(used_ip(choice.range, nic.uuid, choice.address));
    return true;
}

void AddressBook::release(const NicId& nic) {
    std::lock_guard lock(mutex_);
    inventory_.transaction([&] {
        for (const UsedIp& used : inventory_.list<UsedIp>({{"vmNicUuid", nic.str()}})) inventory_.remove<UsedIp>(used.uuid);
        if (inventory_.find<VmNic>(nic))
            inventory_.modify<VmNic>(nic, [](VmNic& record) {
                record.ip.clear();
                record.netmask.clear();
                record.gateway.clear();
                record.used_ip = UsedIpId();
            });
    });
}

bool AddressBook::mac_is_free(const std::string& mac) const {
    return inventory_.list<VmNic>({{"mac", mac}}).empty();
}

std::string AddressBook::make_mac() {
    std::random_device random;
    for (;;) {
        const std::uint32_t bits = random();
        char text[18];
        std::snprintf(text, sizeof text, "fa:%02x:%02x:%02x:%02x:00", bits & 0xff, bits >> 8 & 0xff, bits >> 16 & 0xff,
                      bits >> 24);
        if (mac_is_free(text)) return text;
    }
}

bool AddressBook::is_nat(const L3NetworkId& l3_network) const {
    const auto l3 = inventory_.find<L3Network>(l3_network);
    const auto l2 = l3 ? inventory_.find<L2Network>(l3->l2_network) : std::nullopt;
    return l2 && operations::is_nat(settings_, *l2);
}

bool AddressBook::gives_addresses(const L3NetworkId& l3_network) const {
    return is_nat(l3_network) &&
           inventory_.count<NetworkService>({{"l3NetworkUuid", l3_network.str()}, {"networkServiceType", "DHCP"}}) > 0;
}

NatNetworkSpec AddressBook::nat_spec() const {
    const NatAddresses nat = nat_addresses(settings_);
    NatNetworkSpec spec;
    spec.name = settings_.network_name;
    spec.bridge = settings_.network_bridge;
    spec.gateway = ipv4_text(nat.gateway);
    spec.netmask = ipv4_text(nat.network.mask());
    spec.dns_servers = settings_.network_dns;
    return spec;
}

void AddressBook::publish(const VmNic& nic, const std::string& hostname) {
    if (nic.ip.empty() || !gives_addresses(nic.l3_network)) return;
    networks_.put_dhcp_host(settings_.network_name, {nic.mac, nic.ip, hostname});
}

void AddressBook::withdraw(const VmNic& nic) {
    if (is_nat(nic.l3_network)) networks_.remove_dhcp_host(settings_.network_name, nic.mac);
}

void AddressBook::plug(const L3NetworkId& l3_network, NicSpec& spec) {
    const L3Network l3 = inventory_.get<L3Network>(l3_network);
    if (is_nat(l3_network)) {
        networks_.ensure_nat_network(nat_spec());
        spec.network = settings_.network_name;
        return;
    }
    const L2Network l2 = inventory_.get<L2Network>(l3.l2_network);
    if (!networks_.bridge_exists(l2.physical_interface))
        throw Error(Code::operation_failed, "the L2 network " + l2.name + " needs the bridge " + l2.physical_interface +
                                                ", which this host has not");
    spec.bridge = l2.physical_interface;
}

}  // namespace hvagent::operations
