#include "agent/cli/client.h"

#include <httplib.h>
#include <openssl/evp.h>

#include <chrono>
#include <thread>

namespace hvagent::cli {
namespace {

constexpr const char* prefix = "/zstack/v1";

std::string sha512_hex(const std::string& text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha512(), nullptr);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
        char byte[3];
        std::snprintf(byte, sizeof byte, "%02x", digest[i]);
        hex += byte;
    }
    return hex;
}

json parse_body(const std::string& text) {
    json body = json::parse(text, nullptr, false);
    return body.is_discarded() ? json{{"text", text}} : body;
}

[[noreturn]] void fail(const json& body) {
    if (body.contains("error")) throw ApiFailure(body["error"], explain(body["error"]));
    throw ApiFailure(json(), body.value("text", body.dump()));
}

}  // namespace

std::string explain(const json& error) {
    std::string text = error.value("code", "?") + " " + error.value("description", "") + ": " + error.value("details", "");
    if (error.contains("cause")) text += "\n  because " + explain(error["cause"]);
    return text;
}

struct Client::Connection {
    explicit Connection(const std::string& url) : http(url) {}
    httplib::Client http;
};

Client::Client(const std::string& url, std::string session, const std::string& ca_file)
    : connection_(std::make_unique<Connection>(url)), session_(std::move(session)) {
    httplib::Client& http = connection_->http;
    if (!http.is_valid()) throw ConnectionFailure("\"" + url + "\" is not a URL like http://127.0.0.1:8080");
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
    http.set_connection_timeout(10);
    http.set_read_timeout(300);
    if (!ca_file.empty()) http.set_ca_cert_path(ca_file.c_str());
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

json Client::send(const HttpRequest& request, int& status) {
    httplib::Request wire;
    wire.method = request.method;
    wire.path = request.target.starts_with("/") && request.target.find("/api-jobs/") != std::string::npos
                    ? request.target
                    : prefix + request.target;
    if (!session_.empty()) wire.headers.emplace("Authorization", "OAuth " + session_);
    if (!request.body.is_null()) {
        wire.body = request.body.dump();
        wire.headers.emplace("Content-Type", "application/json");
    } else if (request.method != "GET") {
        wire.headers.emplace("Content-Length", "0");
    }
    const httplib::Result result = connection_->http.send(wire);
    if (!result) throw ConnectionFailure("the agent does not answer: " + httplib::to_string(result.error()));
    status = result->status;
    return parse_body(result->body);
}

std::string Client::login(const std::string& account, const std::string& password) {
    int status = 0;
    const json body = send(
        {"PUT", "/accounts/login", {{"logInByAccount", {{"accountName", account}, {"password", sha512_hex(password)}}}}},
        status);
    if (status != 200) fail(body);
    session_ = body.at("inventory").at("uuid").get<std::string>();
    return session_;
}

void Client::follow_events(const std::string& last_id, const std::function<bool(std::string_view piece)>& receive) {
    httplib::Headers headers{{"Authorization", "OAuth " + session_}};
    if (!last_id.empty()) headers.emplace("Last-Event-ID", last_id);
    int status = 0;
    std::string refusal;
    const httplib::Result result = connection_->http.Get(
        "/hvagent/v1/events", headers,
        [&](const httplib::Response& head) {
            status = head.status;
            return true;
        },
        [&](const char* data, std::size_t size) {
            if (status == 200) return receive(std::string_view(data, size));
            refusal.append(data, size);
            return true;
        });
    if (status == 0) throw ConnectionFailure("the agent does not answer: " + httplib::to_string(result.error()));
    if (status != 200) fail(parse_body(refusal));
}

json Client::get_own(const std::string& name) {
    const httplib::Result result =
        connection_->http.Get("/hvagent/v1/" + name, httplib::Headers{{"Authorization", "OAuth " + session_}});
    if (!result) throw ConnectionFailure("the agent does not answer: " + httplib::to_string(result.error()));
    json body = parse_body(result->body);
    if (result->status != 200) fail(body);
    return body;
}

json Client::call(const HttpRequest& request, bool wait, const Progress& progress) {
    int status = 0;
    const json body = send(request, status);
    if (status == 200) return body;
    if (status != 202) fail(body);
    return wait ? poll(body.at("location").get<std::string>(), progress) : body;
}

json Client::poll(const std::string& location, const Progress& progress) {
    const std::size_t path = location.find(prefix);
    if (path == std::string::npos) throw ConnectionFailure("the agent gave an unknown job address: " + location);
    // Quick jobs are over before a person notices; long ones are asked once a second.
    for (auto pause = std::chrono::milliseconds(5);; pause = std::min(pause * 2, std::chrono::milliseconds(1000))) {
        int status = 0;
        const json body = send({"GET", location.substr(path), json()}, status);
        if (status == 200) return body;
        if (status != 202) fail(body);
        progress(body.value("progress", 0), body.value("progressText", ""));
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace hvagent::cli
