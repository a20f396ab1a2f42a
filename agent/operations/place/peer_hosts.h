// Other hosts, as this one asks them and answers them.
#pragma once
#include <string>

#include "agent/operations/services.h"
#include "agent/peers/peer_desk.h"
#include "agent/peers/peer_facts.h"

namespace hvagent::operations {

// For how long one question to a peer may take where a person waits for it.
inline constexpr seconds peer_patience{10};

// This host, as its peers hear of it. Never waits for libvirt.
peers::PeerFacts own_facts(Services& services);
// Registers what every agent answers its peers: facts, call-back, leave, change-host-state.
void answer_peers(Services& services, peers::PeerDesk& desk);
// This side of an introduction: the answer for the agent that was told to add us.
nlohmann::json answer_introduction(Services& services, const nlohmann::json& sent);

// Asks the peer how it is and writes it down. Error tells why it cannot be asked, and then it is Disconnected; Error too
// when its own libvirt does not answer.
void look_at_peer(Services& services, const HostId& peer);
// `event`: enable or disable.
void change_own_state(Services& services, const std::string& event);
void change_peer_state(Services& services, const HostId& peer, const std::string& event);
// The peer's agent listens at another address now; nothing changes unless the same agent answers there.
void move_peer(Services& services, const HostId& peer, const std::string& address);

}  // namespace hvagent::operations
