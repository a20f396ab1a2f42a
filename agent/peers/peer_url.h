// The URLs agents know each other by.
#pragma once
#include <string>

#include "agent/config/settings.h"

namespace hvagent::peers {

// "https://10.0.0.5:8080"; an IPv6 address gets its brackets.
std::string peer_url(const std::string& scheme, const std::string& address, int port);
// The same scheme and port at another address.
std::string with_address(const std::string& url, const std::string& address);
bool is_plain(const std::string& url);
// Nobody beyond this machine sees what goes there.
bool is_loopback_url(const std::string& url);

// "https" when the API speaks TLS.
std::string own_scheme(const config::Settings& settings);
int own_port(const config::Settings& settings);
// Where other agents reach this one. `address`: the management IP of this host.
std::string own_url(const config::Settings& settings, const std::string& address);

}  // namespace hvagent::peers
