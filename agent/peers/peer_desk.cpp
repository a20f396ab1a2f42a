#include "agent/peers/peer_desk.h"

#include "agent/identity/secret_hash.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::peers {
namespace {

constexpr std::string_view scheme = "Peer ";

struct Credentials {
    HostId host;
    std::string token;
};

Credentials parse(const std::string& authorization) {
    const auto blank = authorization.find(' ', scheme.size());
    if (!authorization.starts_with(scheme) || blank == std::string::npos)
        throw Error(Code::bad_request, "the header 'Authorization' must be \"Peer <host uuid> <token>\"");
    return {HostId(authorization.substr(scheme.size(), blank - scheme.size())), authorization.substr(blank + 1)};
}

}  // namespace

void PeerDesk::on(const std::string& verb, Answer answer) {
    if (!answers_.emplace(verb, std::move(answer)).second)
        throw Error(Code::internal, "two answers to the peers' verb " + verb);
}

json PeerDesk::serve(const std::string& authorization, const std::string& client_address, const std::string& verb,
                     const json& body) {
    const HostId peer = authenticate(authorization, client_address);
    if (heard_) heard_(peer);
    const auto answer = answers_.find(verb);
    if (answer == answers_.end())
        throw Error(Code::no_such_path,
                    "this agent answers no " + verb.substr(0, 64) + " of its peers; it may be of an older version");
    const log::Scope scope({{"peer", peer.str()}, {"verb", verb}});
    return answer->second(peer, body);
}

// A right token is let in even while wrong ones are refused: it cannot be guessed, and a peer that was added anew must not
// wait for what its former token did.
HostId PeerDesk::authenticate(const std::string& authorization, const std::string& client_address) {
    const Credentials shown = parse(authorization);
    const bool is_known = is_uuid(shown.host.str());
    if (is_known && is_token_of(shown.host, shown.token)) {
        guard_.succeeded(shown.host.str(), client_address);
        return shown.host;
    }
    guard_.attempt(is_known ? shown.host.str() : "", client_address);
    log::warning("a peer showed a wrong token",
                 {{"client", client_address}, {"host", is_known ? shown.host.str() : "no uuid"}});
    throw Error(Code::authentication_failed,
                "the host is not known here, or its token is not the one that was agreed on; add it again");
}

bool PeerDesk::is_token_of(const HostId& peer, const std::string& token) {
    const std::string hash = identity::sha256_hex(token);
    const auto known = inventory_.find<Peer>(peer);
    // Compared for an unknown host too, so that the time taken does not tell which hosts exist.
    const Peer record = known.value_or(Peer{});
    const bool is_current = identity::equal_in_constant_time(hash, record.token_in_hash);
    const bool is_former = identity::equal_in_constant_time(hash, record.former_token_in_hash);
    if (is_current && !record.former_token_in_hash.empty())
        inventory_.observe<Peer>(peer, [](Peer& changed) { changed.former_token_in_hash.clear(); });
    return is_current || is_former;
}

}  // namespace hvagent::peers
