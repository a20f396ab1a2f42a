// What an agent tells its peers about its own host, and how they write it down.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/model/host.h"
#include "hvagent/model/peer.h"

namespace hvagent::peers {

using nlohmann::json;

struct PeerFacts {
    Host host;  // as its own agent shows it
    std::string boot_id;
    std::string agent_version;
    std::string libvirt_version;
    std::string qemu_version;
    Time sent_at{};  // by the clock of the host

    bool hypervisor_answers() const { return host.status == ConnectionStatus::connected; }
};

json to_json(const PeerFacts& facts);
// Error(host_connection): `answer` is not that, or is about another host than `expected` (empty: any).
PeerFacts parse_facts(const json& answer, const HostId& expected);

// Of this machine's kernel; "" where it cannot be read.
std::string kernel_boot_id();

// What the peer told, into the records of host and peer. Name, place and address stay as they are known here.
void write_facts(inventory::Inventory& inventory, const PeerFacts& facts, Time now);
// The peer is Disconnected; its last known figures stay.
void write_failure(inventory::Inventory& inventory, const HostId& peer, const std::string& why);

}  // namespace hvagent::peers
