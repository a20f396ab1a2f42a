#include "tests/bench/rest.h"

#include <openssl/evp.h>

#include <random>
#include <stdexcept>
#include <thread>

namespace hvagent::bench {
namespace {

constexpr const char* prefix = "/zstack/v1";

std::string hex(const unsigned char* bytes, std::size_t count) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

std::string sha512(const std::string& text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha512(), nullptr);
    return hex(digest, size);
}

std::string new_job_uuid() {
    static thread_local std::mt19937_64 random{std::random_device{}()};
    unsigned char bytes[16];
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
    return hex(bytes, sizeof bytes);
}

}  // namespace

Rest::Rest(const std::string& url, const std::string& password) : http_(url) {
    http_.set_keep_alive(true);
    http_.set_tcp_nodelay(true);
    http_.set_read_timeout(60);
    const json login = {{"logInByAccount", {{"accountName", "admin"}, {"password", sha512(password)}}}};
    const std::string path = std::string(prefix) + "/accounts/login";
    const json answer = json::parse(text_of(http_.Put(path, login.dump(), "application/json"), "log in"));
    headers_ = {{"Authorization", "OAuth " + answer.at("inventory").at("uuid").get<std::string>()}};
}

std::string Rest::text_of(const httplib::Result& answer, const std::string& what) const {
    if (!answer) throw std::runtime_error(what + ": " + httplib::to_string(answer.error()));
    if (answer->status != 200 && answer->status != 202)
        throw std::runtime_error(what + ": " + std::to_string(answer->status) + " " + answer->body);
    return answer->body;
}

json Rest::get(const std::string& path) {
    return json::parse(text_of(http_.Get(prefix + path, headers_), "GET " + path));
}

json Rest::own(const std::string& method, const std::string& path, const json& body) {
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.headers = headers_;
    if (!body.is_null()) {
        request.body = body.dump();
        request.headers.emplace("Content-Type", "application/json");
    }
    return json::parse(text_of(http_.send(request), method + " " + path));
}

std::size_t Rest::get_size(const std::string& path) {
    return text_of(http_.Get(prefix + path, headers_), "GET " + path).size();
}

double Rest::run(Webhooks& hooks, const std::string& method, const std::string& path, const json& body, json* result) {
    const std::string job = new_job_uuid();
    httplib::Headers headers = headers_;
    headers.insert({{"X-Job-UUID", job}, {"X-Web-Hook", hooks.url()}});
    const std::string text = body.dump(), where = prefix + path;
    const Moment sent = Clock::now();
    text_of(method == "POST" ? http_.Post(where, headers, text, "application/json")
                             : http_.Put(where, headers, text, "application/json"),
            method + " " + path);
    const Webhooks::Delivery delivery = hooks.wait(job);
    if (!delivery.success) throw std::runtime_error(method + " " + path + " " + text + ": " + delivery.body);
    if (result) *result = json::parse(delivery.body);
    return ms_between(sent, delivery.arrived);
}

double Rest::act(Webhooks& hooks, const std::string& vm, const std::string& action, const json& parameters) {
    return run(hooks, "PUT", "/vm-instances/" + vm + "/actions", {{action, parameters}});
}

std::string Rest::state_of(const std::string& vm) {
    const json answer = get("/vm-instances?q=uuid=" + vm + "&fields=state");
    const json& found = answer.at("inventories");
    return found.empty() ? "gone" : found[0].at("state").get<std::string>();
}

void Rest::await_state(const std::string& vm, const std::string& state) {
    const Moment until = Clock::now() + std::chrono::seconds(10);
    for (std::string seen; (seen = state_of(vm)) != state; std::this_thread::sleep_for(std::chrono::milliseconds(2)))
        if (Clock::now() > until) throw std::runtime_error("VM " + vm + " is " + seen + " and not " + state + " after 10 s");
}

}  // namespace hvagent::bench
