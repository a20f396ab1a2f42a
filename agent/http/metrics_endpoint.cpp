#include "agent/http/metrics_endpoint.h"

#include "agent/http/answers.h"
#include "agent/http/authentication.h"
#include "agent/http/url.h"
#include "agent/identity/secret_hash.h"

namespace hvagent::http {
namespace {

bool is_from_this_host(const Request& request) {
    for (const char* header : {"forwarded", "x-forwarded-for", "x-real-ip", "via"})
        if (request.find_header(header)) return false;
    const std::string& address = request.client_address;
    return address.rfind("127.", 0) == 0 || address == "::1" || address.rfind("::ffff:127.", 0) == 0;
}

bool has_token(const Request& request, const std::string& token) {
    constexpr std::string_view scheme = "bearer ";
    const std::string header = request.header("authorization");
    return !token.empty() && header.size() > scheme.size() &&
           equal_ignoring_case(std::string_view(header).substr(0, scheme.size()), scheme) &&
           identity::equal_in_constant_time(trimmed(header.substr(scheme.size())), token);
}

}  // namespace

std::optional<Response> refuse_metrics(const Request& request, const HttpSettings& settings, identity::Identity& identity) {
    if (request.method != "GET" && request.method != "HEAD")
        throw Error(Code::wrong_method, "/metrics takes GET, not " + request.method);
    if (settings.metrics_public == "always" || (settings.metrics_public == "loopback" && is_from_this_host(request)) ||
        has_token(request, settings.metrics_token))
        return std::nullopt;
    try {
        authenticate(request, identity);
        return std::nullopt;
    } catch (const Error& error) {
        Response refusal = error_answer(
            Error(error.code(), "/metrics needs a session or the token of [metrics] token here: " + error.details()));
        refusal.status = 401;
        refusal.headers.emplace_back("WWW-Authenticate", "Bearer");
        return refusal;
    }
}

Response metrics_answer(const std::function<std::string()>& make_text) {
    try {
        Response page;
        page.body = make_text();
        page.content_type = "text/plain; version=0.0.4; charset=utf-8";
        return page;
    } catch (...) {
        return error_answer(current_error());
    }
}

}  // namespace hvagent::http
