// The way in over HTTP: the REST contract, the legacy endpoint, health and the OpenAPI document.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/http/settings.h"
#include "hvagent/clock.h"
#include "hvagent/event_feed.h"

namespace hvagent::jobs {
class JobEngine;
}
namespace hvagent::identity {
class Identity;
}

namespace hvagent::http {

// A part of the agent's own API: /hvagent/v1/<name> and /hvagent/v1/<name>/<rest>, with a session. `rest` has one or two
// segments, "<uuid>/guest".
struct OwnPath {
    std::string name;
    std::function<nlohmann::json(const std::string& method, const std::string& rest, const nlohmann::json& body)> answer;
};

// What the server works with; all of it must outlive the server.
struct HttpParts {
    const api::Catalog& catalog;
    const std::vector<api::ResourceShape>& shapes;
    const api::References& references;
    jobs::JobEngine& jobs;
    identity::Identity& identity;
    const Clock& clock;
    // Why the agent cannot do its work right now; empty when it can.
    std::function<std::vector<std::string>()> not_ready_because;
    std::string version;
    // The text of /metrics; empty: there is none.
    std::function<std::string()> metrics = {};
    // Counts each answer; from any thread.
    std::function<void(const std::string& method, int status, std::chrono::microseconds took)> answered = {};
    // Served as GET /hvagent/v1/events; null: there are none. The feed calls back until the server has stopped.
    EventFeed* events = nullptr;
    std::vector<OwnPath> own_paths = {};
    // POST /hvagent/v1/peer/<verb>, which carries the token of another agent instead of a session. Empty: there is none.
    std::function<nlohmann::json(const std::string& authorization, const std::string& client_address,
                                 const std::string& verb, const nlohmann::json& body)>
        peer_request = {};
    // GET /hvagent/v1/peer-files?ticket=<ticket>: the path of the file that is offered under it; nullopt: none is.
    std::function<std::optional<std::string>(const std::string& ticket)> offered_file = {};
};

class HttpServer {
public:
    // Error(invalid_argument): settings that do not fit together, e.g. plain HTTP on a public address without `insecure`.
    HttpServer(HttpSettings settings, HttpParts parts);
    ~HttpServer();

    // Error(io_failed) when the address is taken, or certificate or key cannot be used.
    void start();
    // Connections to come use the files as they are now. Error, and no change, when one of them cannot be used.
    void reload_certificates();
    int port() const;  // the one in use, also when any free one was asked for
    // Requests being answered are finished (up to 5 s), others are cut. Safe to call twice.
    void stop();

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hvagent::http
