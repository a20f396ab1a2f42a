#include "agent/operations/place/peer_hosts.h"

#include "agent/operations/place/live_host.h"
#include "agent/peers/introduction.h"
#include "agent/peers/peer_url.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

std::string event_of(const json& body) {
    const json event = body.is_object() ? body.value("stateEvent", json()) : json();
    if (event != "enable" && event != "disable")
        throw Error(Code::no_capability, "stateEvent enable and disable can be asked for by another host, no other");
    return event;
}

json answer_leave(Services& services, const HostId& peer) {
    const std::string needed = services.why_host_is_needed(peer);
    if (!needed.empty()) throw Error(Code::operation_failed, "the host " + peer.str() + " is still needed: " + needed);
    peers::forget_peer(services.inventory, peer);
    services.consider_peer(peer);
    log::info("another host left", {{"host", peer.str()}});
    return json::object();
}

}  // namespace

peers::PeerFacts own_facts(Services& services) {
    refresh_host(services);
    peers::PeerFacts facts;
    facts.host = services.inventory.get<Host>(services.host);
    facts.boot_id = peers::kernel_boot_id();
    facts.agent_version = HVAGENT_VERSION;
    facts.sent_at = services.clock.now();
    if (!services.states.connected()) return facts;
    try {
        const HostFacts known = services.inspector.facts();
        facts.libvirt_version = known.libvirt_version;
        facts.qemu_version = known.qemu_version;
    } catch (const Error& error) {
        log::debug("the versions of the hypervisor are not known", {{"error", error.details()}});
    }
    return facts;
}

void answer_peers(Services& services, peers::PeerDesk& desk) {
    desk.on("facts", [&services](const HostId&, const json&) { return peers::to_json(own_facts(services)); });
    // Can this side reach the one that asks? Both must, for VMs to go either way.
    desk.on("call-back", [&services](const HostId& peer, const json&) {
        services.peers.ask(peer, "facts", json::object(), peer_patience / 2);
        return json::object();
    });
    desk.on("leave", [&services](const HostId& peer, const json&) { return answer_leave(services, peer); });
    desk.on("change-host-state", [&services](const HostId&, const json& body) {
        change_own_state(services, event_of(body));
        return peers::to_json(own_facts(services));
    });
}

json answer_introduction(Services& services, const json& sent) {
    return peers::accept_introduction(services.inventory, services.host, sent, peers::to_json(own_facts(services)));
}

void look_at_peer(Services& services, const HostId& peer) {
    try {
        const auto facts = peers::parse_facts(services.peers.ask(peer, "facts", json::object(), peer_patience), peer);
        peers::write_facts(services.inventory, facts, services.clock.now());
        services.consider_peer(peer);
        if (!facts.hypervisor_answers())
            throw Error(Code::host_connection, "the agent of the host " + services.inventory.get<Host>(peer).name +
                                                   " answers, but its libvirt does not");
    } catch (const Error& error) {
        peers::write_failure(services.inventory, peer, error.details());
        services.consider_peer(peer);
        throw;
    }
}

void change_own_state(Services& services, const std::string& event) {
    services.inventory.modify<Host>(services.host,
                                    [&](Host& record) { record.state = event == "enable" ? "Enabled" : "Disabled"; });
}

void change_peer_state(Services& services, const HostId& peer, const std::string& event) {
    const json answer = services.peers.ask(peer, "change-host-state", {{"stateEvent", event}}, peer_patience);
    peers::write_facts(services.inventory, peers::parse_facts(answer, peer), services.clock.now());
}

void move_peer(Services& services, const HostId& peer, const std::string& address) {
    if (peer == services.host)
        throw Error(Code::invalid_argument, "parameter 'managementIp' of this host is the setting [host] management_ip");
    const std::string url = peers::with_address(services.peers.url_of(peer), address);
    const auto facts = peers::parse_facts(services.peers.ask_at(peer, url, "facts", json::object(), peer_patience), peer);
    services.inventory.transaction([&] {
        services.inventory.modify<Peer>(peer, [&](Peer& record) { record.url = url; });
        services.inventory.modify<Host>(peer, [&](Host& record) { record.management_ip = address; });
    });
    peers::write_facts(services.inventory, facts, services.clock.now());
    services.consider_peer(peer);
}

}  // namespace hvagent::operations
