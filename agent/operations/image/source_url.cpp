#include "agent/operations/image/source_url.h"

#include <algorithm>
#include <cctype>

namespace hvagent::operations {

std::string scheme_of(const std::string& url) {
    const auto colon = url.find("://");
    if (colon == std::string::npos) return url.starts_with("/") ? "file" : "";
    std::string scheme = url.substr(0, colon);
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](unsigned char c) { return std::tolower(c); });
    return scheme;
}

std::string without_secrets(const std::string& url) {
    const std::string scheme = scheme_of(url);
    if (scheme.empty() || url.starts_with("/") || scheme == "file") return url;
    const auto begin = url.find("://") + 3;
    std::string host_and_path = url.substr(begin);
    if (const auto query = host_and_path.find_first_of("?#"); query != std::string::npos)
        host_and_path = host_and_path.substr(0, query) + (host_and_path[query] == '?' ? "?..." : "");
    // A password may hold a slash that should have been escaped: then what follows the colon is no port.
    const auto slash = std::min(host_and_path.find('/'), host_and_path.size());
    const auto colon = host_and_path.rfind(':', slash);
    const bool is_port =
        colon != std::string::npos && std::all_of(host_and_path.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
                                                  host_and_path.begin() + static_cast<std::ptrdiff_t>(slash),
                                                  [](unsigned char c) { return std::isdigit(c); });
    const bool is_ipv6 = colon != std::string::npos && host_and_path.find(']', colon) < slash;
    const bool may_be_password = colon != std::string::npos && !is_port && !is_ipv6;
    const auto at = host_and_path.rfind('@', may_be_password ? std::string::npos : slash);
    if (at != std::string::npos) host_and_path = "***@" + host_and_path.substr(at + 1);
    return url.substr(0, begin) + host_and_path;
}

}  // namespace hvagent::operations
