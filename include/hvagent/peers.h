// Other agents, which this one knows as hosts.
#pragma once
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent {

// Thread-safe.
class Peers {
public:
    // Of the other agent's administrator; the password as clients send it (hex SHA-512).
    struct Login {
        std::string account;
        std::string password;
    };

    virtual ~Peers() = default;
    // What the peer answers. Its refusal is the same Error, with the host's name in front of the details;
    // Error(host_connection) names host and URL when no answer came; Error(not_found): no such peer is known here.
    virtual nlohmann::json ask(const HostId& peer, const std::string& verb, const nlohmann::json& body,
                               milliseconds timeout) = 0;
    // The same at another address than the one on record: is the peer there as well?
    virtual nlohmann::json ask_at(const HostId& peer, const std::string& url, const std::string& verb,
                                  const nlohmann::json& body, milliseconds timeout) = 0;
    // "https://10.0.0.5:8080". Error(not_found).
    virtual std::string url_of(const HostId& peer) const = 0;
    // The file that the peer offers under this ticket, into `path`: as HttpClient::download, so it is taken up where it
    // broke off as long as it is the same file, whatever the ticket.
    virtual void fetch(const HostId& peer, const std::string& ticket, const std::string& path, Bytes limit,
                       const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) = 0;
    // Logs in at an agent that is not a peer yet, hands over `about_us` and brings what it says of itself. Errors as ask().
    virtual nlohmann::json introduce(const std::string& url, const Login& login, const nlohmann::json& about_us) = 0;
};

}  // namespace hvagent
