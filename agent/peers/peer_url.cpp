#include "agent/peers/peer_url.h"

#include <cstdlib>

namespace hvagent::peers {

std::string peer_url(const std::string& scheme, const std::string& address, int port) {
    const bool is_bare_ipv6 = address.find(':') != std::string::npos && !address.starts_with('[');
    return scheme + "://" + (is_bare_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string with_address(const std::string& url, const std::string& address) {
    return peer_url(url.substr(0, url.find("://")), address, std::atoi(url.substr(url.rfind(':') + 1).c_str()));
}

bool is_plain(const std::string& url) {
    return !url.starts_with("https://");
}

bool is_loopback_url(const std::string& url) {
    const auto begin = url.find("://");
    if (begin == std::string::npos) return false;
    const std::string rest = url.substr(begin + 3);
    return rest.starts_with("127.") || rest.starts_with("[::1]") || rest.starts_with("localhost:");
}

std::string own_scheme(const config::Settings& settings) {
    return settings.http_tls_cert.empty() ? "http" : "https";
}

int own_port(const config::Settings& settings) {
    return std::atoi(settings.http_listen.substr(settings.http_listen.rfind(':') + 1).c_str());
}

std::string own_url(const config::Settings& settings, const std::string& address) {
    return peer_url(own_scheme(settings), address, own_port(settings));
}

}  // namespace hvagent::peers
