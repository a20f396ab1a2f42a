#include "agent/http/server.h"

#include <sys/resource.h>
#include <csignal>
#include <mutex>

#include "agent/api/openapi.h"
#include "agent/api/schema.h"
#include "agent/http/answers.h"
#include "agent/http/arguments.h"
#include "agent/http/authentication.h"
#include "agent/http/event_streams.h"
#include "agent/http/file_streams.h"
#include "agent/http/legacy_endpoint.h"
#include "agent/http/metrics_endpoint.h"
#include "agent/http/request_log.h"
#include "agent/http/rest_endpoint.h"
#include "agent/http/transport/connection_server.h"
#include "agent/http/url.h"
#include "agent/identity/identity.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

constexpr milliseconds drain_time{5000};
constexpr rlim_t descriptors_of_others = 512;  // libvirt, the database, files

void check_settings(const HttpSettings& settings) {
    const auto refuse = [](const std::string& why) { throw Error(Code::invalid_argument, why); };
    if (settings.tls_cert.empty() != settings.tls_key.empty())
        refuse("[http] tls_cert and tls_key belong together: one of them is missing");
    if (!settings.client_ca.empty() && settings.tls_cert.empty()) refuse("[http] client_ca needs tls_cert and tls_key");
    if (!settings.tls_cert.empty() || is_loopback(parse_listen_address(settings.listen))) return;
    if (!settings.insecure)
        refuse("[http] listen = \"" + settings.listen +
               "\" is open to the network without encryption: set tls_cert and tls_key, or insecure = true");
    log::warning("plain HTTP is open to the network: passwords and sessions can be read on the way",
                 {{"listen", settings.listen}});
}

// The usual soft limit of 1024 descriptors is less than the connections this server may hold.
void raise_descriptor_limit(std::size_t connections) {
    rlimit limit{};
    const rlim_t wanted = connections + descriptors_of_others;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log::warning("fewer file descriptors than connections allowed",
                     {{"descriptors", limit.rlim_cur}, {"wanted", wanted}});
}

bool begins_with(const std::vector<std::string>& segments, std::initializer_list<std::string_view> prefix) {
    return segments.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), segments.begin(), equal_ignoring_case);
}

std::vector<std::string> without_first(const std::vector<std::string>& segments, std::size_t count) {
    return {segments.begin() + static_cast<std::ptrdiff_t>(count), segments.end()};
}

}  // namespace

struct HttpServer::Body {
    Body(HttpSettings settings_, HttpParts parts_)
        : settings(std::move(settings_)),
          parts(std::move(parts_)),
          schemas(parts.shapes),
          refused(parts.clock),
          requests(settings.max_threads),
          slow(settings.max_slow_threads),
          submissions(settings.max_submission_threads),
          peer_requests(settings.max_peer_threads),
          files(settings.file_streams),
          log(parts.clock),
          started(parts.clock.moment()) {}

    void handle(const std::shared_ptr<Exchange>& exchange) const;
    void route(const std::shared_ptr<Exchange>& exchange) const;
    void metrics(const std::shared_ptr<Exchange>& exchange) const;
    void own(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const;
    bool of_peers(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const;
    void offered_file(const std::shared_ptr<Exchange>& exchange) const;
    bool is_open(const std::string& session) const;
    Response about_agent(const Request& request, const std::vector<std::string>& segments) const;
    std::string own_names() const;

    const HttpSettings settings;
    const HttpParts parts;
    const api::SchemaBuilder schemas;
    RefusedJobs refused;
    WorkerPool requests;
    mutable WorkerPool slow;
    WorkerPool submissions;
    mutable WorkerPool
        peer_requests;  // apart: what another agent asks for must not wait for a hanging libvirt, nor hold up others
    mutable FileStreams files;
    RequestLog log;
    const Moment started;
    mutable std::once_flag openapi_made;  // at the first request: it takes megabytes for a moment, and few ask
    mutable std::string openapi;
    const std::string& openapi_text() const {
        std::call_once(openapi_made,
                       [this] { openapi = api::make_openapi(parts.catalog, parts.shapes, parts.version).dump(); });
        return openapi;
    }
    std::unique_ptr<TlsContext> tls;
    std::unique_ptr<RestEndpoint> rest;
    std::unique_ptr<LegacyEndpoint> legacy;
    std::unique_ptr<ConnectionServer> connections;
    std::unique_ptr<EventStreams> events;
};

void HttpServer::Body::handle(const std::shared_ptr<Exchange>& exchange) const {
    try {
        route(exchange);
    } catch (...) {
        exchange->respond(error_answer(current_error()));
    }
}

void HttpServer::Body::route(const std::shared_ptr<Exchange>& exchange) const {
    const auto segments = path_segments(split_target(exchange->request.target).path);
    if (begins_with(segments, {"zstack", "v1"})) return rest->handle(exchange, without_first(segments, 2));
    if (begins_with(segments, {"v1"})) return rest->handle(exchange, without_first(segments, 1));
    if (begins_with(segments, {"zstack", "api"})) return legacy->handle(exchange, without_first(segments, 2));
    if (begins_with(segments, {"hvagent", "v1"})) return own(exchange, without_first(segments, 2));
    if (parts.metrics && segments.size() == 1 && equal_ignoring_case(segments[0], "metrics")) return metrics(exchange);
    throw Error(Code::no_such_path, "there is nothing at " +
                                        std::string(split_target(exchange->request.target).path.substr(0, 200)) +
                                        "; the API is below /zstack/v1");
}

bool HttpServer::Body::is_open(const std::string& session) const {
    try {
        return session.empty() || !parts.identity.account_of_session(session).empty();
    } catch (const Error&) {
        return false;
    }
}

void HttpServer::Body::own(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const {
    const Request& request = exchange->request;
    if (events && segments.size() == 1 && equal_ignoring_case(segments[0], "events")) {
        if (request.method != "GET") throw Error(Code::wrong_method, "the path takes GET, not " + request.method);
        return events->open(*exchange, authenticate(request, parts.identity).session);
    }
    if (of_peers(exchange, segments)) return;
    for (const OwnPath& path : parts.own_paths) {
        if (segments.empty() || segments.size() > 3 || !equal_ignoring_case(segments[0], path.name)) continue;
        authenticate(request, parts.identity);
        std::string which = segments.size() > 1 ? segments[1] : "";
        if (segments.size() > 2) which += "/" + segments[2];
        const bool is_taken = slow.run([exchange, &path, which] {
            try {
                exchange->respond(
                    json_answer(200, path.answer(exchange->request.method, which, parse_body(exchange->request.body))));
            } catch (...) {
                exchange->respond(error_answer(current_error()));
            }
        });
        if (!is_taken) throw Error(Code::not_ready, "the agent is stopping");
        return;
    }
    exchange->respond(about_agent(request, segments));
}

bool HttpServer::Body::of_peers(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const {
    const Request& request = exchange->request;
    if (parts.offered_file && segments.size() == 1 && equal_ignoring_case(segments[0], "peer-files")) {
        if (request.method != "GET") throw Error(Code::wrong_method, "the path takes GET, not " + request.method);
        offered_file(exchange);
        return true;
    }
    if (!parts.peer_request || segments.size() != 2 || !equal_ignoring_case(segments[0], "peer")) return false;
    if (request.method != "POST") throw Error(Code::wrong_method, "the path takes POST, not " + request.method);
    const bool is_taken = peer_requests.run([this, exchange, verb = segments[1]] {
        try {
            const Request& asked = exchange->request;
            exchange->respond(json_answer(
                200, parts.peer_request(asked.header("authorization"), asked.client_address, verb, parse_body(asked.body))));
        } catch (...) {
            exchange->respond(error_answer(current_error()));
        }
    });
    if (!is_taken) throw Error(Code::not_ready, "the agent is stopping");
    return true;
}

void HttpServer::Body::offered_file(const std::shared_ptr<Exchange>& exchange) const {
    std::optional<std::string> path;
    for (const auto& [name, value] : parse_query(split_target(exchange->request.target).query))
        if (name == "ticket") path = parts.offered_file(value);
    if (!path) throw Error(Code::no_such_path, "no file is offered under this ticket");
    files.open(exchange, *path);
}

std::string HttpServer::Body::own_names() const {
    std::string names;
    for (const OwnPath& path : parts.own_paths) names += ", " + path.name;
    return names;
}

Response HttpServer::Body::about_agent(const Request& request, const std::vector<std::string>& segments) const {
    const std::string what = segments.size() == 1 ? to_lower(segments[0]) : "";
    const bool is_known = what == "health" || what == "ready" || what == "openapi.json";
    if (!is_known)
        throw Error(Code::no_such_path, "below /hvagent/v1 there are health, ready, openapi.json, events" + own_names());
    if (request.method != "GET" && request.method != "HEAD")
        throw Error(Code::wrong_method, "the path takes GET, not " + request.method);
    if (what == "openapi.json") {
        Response document;
        document.body = openapi_text();
        return document;
    }
    const auto uptime = std::chrono::duration_cast<seconds>(parts.clock.moment() - started).count();
    if (what == "health") return json_answer(200, {{"status", "ok"}, {"version", parts.version}, {"uptimeSeconds", uptime}});
    const std::vector<std::string> reasons = parts.not_ready_because();
    return json_answer(reasons.empty() ? 200 : 503, {{"ready", reasons.empty()}, {"reasons", reasons}});
}

// Libvirt may be asked for it.
void HttpServer::Body::metrics(const std::shared_ptr<Exchange>& exchange) const {
    if (auto refusal = refuse_metrics(exchange->request, settings, parts.identity))
        return exchange->respond(std::move(*refusal));
    const bool taken = slow.run([this, exchange] { exchange->respond(metrics_answer(parts.metrics)); });
    if (!taken) throw Error(Code::not_ready, "the agent is stopping");
}

HttpServer::HttpServer(HttpSettings settings, HttpParts parts) {
    check_settings(settings);
    body_ = std::make_unique<Body>(std::move(settings), std::move(parts));
}

HttpServer::~HttpServer() {
    stop();
}

void HttpServer::start() {
    Body& body = *body_;
    if (!body.settings.tls_cert.empty()) {
        body.tls = std::make_unique<TlsContext>(body.settings.tls_cert, body.settings.tls_key, body.settings.client_ca);
        // OpenSSL writes without MSG_NOSIGNAL: a client that went away must not end the daemon.
        std::signal(SIGPIPE, SIG_IGN);
    }
    raise_descriptor_limit(body.settings.max_connections);
    ConnectionServer::Callbacks callbacks;
    callbacks.handle = [&body](std::shared_ptr<Exchange> exchange) { body.handle(exchange); };
    callbacks.refuse = refusal_answer;
    callbacks.answered = [&body](const Request& request, const Response& response, std::chrono::microseconds took) {
        body.log.answered(request, response, took);
        if (body.parts.answered) body.parts.answered(request.method, response.status, took);
    };
    body.connections = std::make_unique<ConnectionServer>(body.settings, body.parts.clock, body.tls.get(), body.requests,
                                                          std::move(callbacks));
    body.rest = std::make_unique<RestEndpoint>(body.parts, body.schemas, body.refused, body.slow, body.submissions,
                                               body.connections->port());
    body.legacy = std::make_unique<LegacyEndpoint>(body.parts, body.refused, body.slow);
    if (body.parts.events)
        body.events = std::make_unique<EventStreams>(*body.parts.events, body.parts.clock, body.settings.event_streams,
                                                     [&body](const std::string& session) { return body.is_open(session); });
    body.connections->start();
    log::info("http server started",
              {{"listen", body.settings.listen}, {"port", body.connections->port()}, {"tls", body.tls ? "yes" : "no"}});
}

void HttpServer::reload_certificates() {
    if (body_->tls) body_->tls->reload();
}

int HttpServer::port() const {
    return body_->connections ? body_->connections->port() : 0;
}

void HttpServer::stop() {
    Body& body = *body_;
    if (!body.connections) return;
    if (body.events) body.events->stop();
    body.files.stop();
    body.connections->drain(drain_time);
    body.requests.stop();
    body.submissions.stop();
    body.slow.stop();
    body.peer_requests.stop();
    body.connections->stop();
}

}  // namespace hvagent::http
