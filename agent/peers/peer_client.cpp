#include "agent/peers/peer_client.h"

#include "agent/peers/peer_url.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::peers {
namespace {

using nlohmann::json;

constexpr Bytes longest_answer = 8 * MiB;
constexpr milliseconds introduction_time{10000};
constexpr milliseconds log_out_time{3000};

// The other side's words stand for themselves, also where its code is one that we do not know.
Error to_error(const json& wire, const std::string& host) {
    const auto text = [&wire](const char* key) {
        const auto found = wire.find(key);
        return found != wire.end() && found->is_string() ? found->get<std::string>() : "";
    };
    std::string details = text("details");
    if (details.empty()) details = text("description");
    if (!host.empty()) details = host + ": " + details;
    const Code code = code_from_wire(text("code"));
    const auto cause = wire.find("cause");
    if (cause == wire.end() || !cause->is_object()) return Error(code, details);
    return Error(code, details, to_error(*cause, ""));
}

json parsed(const std::string& body) {
    return json::parse(body, nullptr, false);  // "discarded" when it is none
}

std::string to_body(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

PeerClient::PeerClient(const config::Settings& settings, inventory::Inventory& inventory, HttpClient& http, HostId own_host)
    : settings_(settings), inventory_(inventory), http_(http), own_host_(std::move(own_host)) {}

json PeerClient::ask(const HostId& peer, const std::string& verb, const json& body, milliseconds timeout) {
    return ask_at(peer, url_of(peer), verb, body, timeout);
}

json PeerClient::ask_at(const HostId& peer, const std::string& url, const std::string& verb, const json& body,
                        milliseconds timeout) {
    const Peer link = inventory_.get<Peer>(peer);
    const auto host = inventory_.find<Host>(peer);
    HttpRequest request;
    request.url = url + "/hvagent/v1/peer/" + verb;
    request.headers["Authorization"] = "Peer " + own_host_.str() + " " + link.token_out;
    request.body = to_body(body);
    request.timeout = timeout;
    return send({host ? host->name : peer.str(), url}, std::move(request));
}

std::string PeerClient::url_of(const HostId& peer) const {
    return inventory_.get<Peer>(peer).url;
}

// The ticket is in the query, which no log and no error text shows.
void PeerClient::fetch(const HostId& peer, const std::string& ticket, const std::string& path, Bytes limit,
                       const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) {
    const std::string url = url_of(peer);
    check_url({peer.str(), url});
    http_.download(url + "/hvagent/v1/peer-files?ticket=" + ticket, path, limit, progress, cancel);
}

json PeerClient::introduce(const std::string& url, const Login& login, const json& about_us) {
    const Place place{"the agent at " + url, url};
    HttpRequest request;
    request.url = url + "/zstack/v1/accounts/login";
    request.body = to_body({{"logInByAccount", {{"accountName", login.account}, {"password", login.password}}}});
    request.timeout = introduction_time;
    const json session = send(place, request);
    const json id = session.value("/inventory/uuid"_json_pointer, json());
    if (!id.is_string())
        throw Error(Code::host_connection, place.name + " answers a login without a session: it is no agent");
    request.url = url + "/hvagent/v1/peers-introduction";
    request.headers["Authorization"] = "OAuth " + id.get<std::string>();
    request.body = to_body(about_us);
    try {
        json answer = send(place, request);
        log_out(url, id);
        return answer;
    } catch (const Error& error) {
        log_out(url, id);
        if (error.code() == Code::no_such_path)
            throw Error(Code::no_capability, place.name + " is of a version that knows no other hosts", error);
        throw;
    }
}

// A session that stays open ends by itself.
void PeerClient::log_out(const std::string& url, const std::string& session) {
    try {
        HttpRequest request;
        request.method = "DELETE";
        request.url = url + "/zstack/v1/accounts/sessions/" + session;
        request.timeout = log_out_time;
        http_.send(request);
    } catch (const Error&) {
        log::warning("the session at another agent was not ended", {{"url", url}});  // the error text holds the session
    }
}

json PeerClient::send(const Place& place, HttpRequest request) {
    check_url(place);
    request.headers["Content-Type"] = "application/json";
    request.longest_reply = longest_answer;
    HttpReply reply;
    try {
        reply = http_.send(request);
    } catch (const Error& error) {
        throw Error(Code::host_connection, place.name + " does not answer" + place.at() + ": " + error.details());
    }
    if (reply.is_cut)
        throw Error(Code::host_connection, place.name + " answered with more than " + human_size(longest_answer));
    const json answer = parsed(reply.body);
    if (answer.is_object() && answer.contains("error") && answer["error"].is_object())
        throw to_error(answer["error"], place.name);
    if (reply.status != 200 || answer.is_discarded())
        throw Error(Code::host_connection, place.name + " answered" + place.at() + " with HTTP status " +
                                               std::to_string(reply.status) + " and no JSON: it is no agent of this kind");
    return answer;
}

void PeerClient::check_url(const Place& place) const {
    if (!is_plain(place.url) || settings_.http_insecure || is_loopback_url(place.url)) return;
    throw Error(Code::host_connection,
                place.name + place.at() +
                    " speaks plain HTTP, and tokens and files are not sent in the clear: give both "
                    "agents certificates ([http] tls_cert and tls_key), or set [http] insecure = true "
                    "here");
}

}  // namespace hvagent::peers
