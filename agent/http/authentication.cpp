#include "agent/http/authentication.h"

#include <algorithm>

#include "agent/http/url.h"
#include "agent/identity/identity.h"
#include "hvagent/error.h"

namespace hvagent::http {
namespace {

// "OAuth 5f..", "OAuth: 5f..": samples of the manual print the colon.
std::string without_scheme(const std::string& header, std::size_t scheme_length) {
    const auto begin = header.find_first_not_of(" \t:", scheme_length);
    return begin == std::string::npos ? "" : trimmed(header.substr(begin));
}

bool has_scheme(const std::string& header, std::string_view scheme) {
    if (header.size() < scheme.size() || !equal_ignoring_case(std::string_view(header).substr(0, scheme.size()), scheme))
        return false;
    return header.size() == scheme.size() || !std::isalnum(static_cast<unsigned char>(header[scheme.size()]));
}

Caller by_signature(const Request& request, const std::string& credentials, identity::Identity& identity) {
    const auto colon = credentials.find(':');
    if (colon == std::string::npos || credentials.find(':', colon + 1) != std::string::npos)
        throw Error(Code::bad_request, "the header 'Authorization' must be \"ZStack <access key id>:<signature>\"");
    const std::string account =
        identity.access_keys().verify({credentials.substr(0, colon), credentials.substr(colon + 1), request.method,
                                       request.header("date"), std::string(split_target(request.target).path)});
    return {account, ""};
}

}  // namespace

Caller authenticate(const Request& request, identity::Identity& identity) {
    constexpr std::string_view oauth = "OAuth", access_key = "ZStack";
    const std::string* header = request.find_header("authorization");
    if (!header || header->empty()) throw Error(Code::bad_request, "missing header 'Authorization'");
    if (has_scheme(*header, oauth)) {
        const std::string session = without_scheme(*header, oauth.size());
        return {identity.account_of_session(session), session};
    }
    if (has_scheme(*header, access_key)) return by_signature(request, without_scheme(*header, access_key.size()), identity);
    throw Error(Code::bad_request,
                "the header 'Authorization' must be \"OAuth <session>\" or \"ZStack <access key id>:<signature>\"");
}

}  // namespace hvagent::http
