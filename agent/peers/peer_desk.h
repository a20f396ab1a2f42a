// Requests of other agents: who asks is proven by the token of the peer, what is asked is answered by whoever registered.
#pragma once
#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/identity/login_guard.h"
#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"

namespace hvagent::peers {

using nlohmann::json;

// Thread-safe once everything is registered.
class PeerDesk {
public:
    using Answer = std::function<json(const HostId& peer, const json& body)>;

    PeerDesk(inventory::Inventory& inventory, const Clock& clock) : inventory_(inventory), guard_(clock) {}

    // `answer` may throw Error: the peer gets the same one.
    void on(const std::string& verb, Answer answer);
    // Told of every request whose token was right, before it is answered; must not block.
    void on_heard(std::function<void(const HostId& peer)> listener) { heard_ = std::move(listener); }

    // `authorization`: "Peer <uuid of the asking host> <token>". Error(authentication_failed), Error(login_refused) after
    // too many wrong tokens, Error(no_such_path) for an unknown verb.
    json serve(const std::string& authorization, const std::string& client_address, const std::string& verb,
               const json& body);

private:
    HostId authenticate(const std::string& authorization, const std::string& client_address);
    bool is_token_of(const HostId& peer, const std::string& token);

    inventory::Inventory& inventory_;
    identity::LoginGuard guard_;
    std::map<std::string, Answer> answers_;
    std::function<void(const HostId&)> heard_;
};

}  // namespace hvagent::peers
