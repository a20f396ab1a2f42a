// Where hvctl keeps who it is logged in as.
#pragma once
#include <optional>
#include <string>

namespace hvagent::cli {

struct StoredSession {
    std::string url;
    std::string session;
    std::string ca_file;
};

// $HVCTL_SESSION_FILE, else $XDG_CONFIG_HOME/hvctl/session.json, else ~/.config/hvctl/session.json. Mode 0600.
std::optional<StoredSession> load_session();
void save_session(const StoredSession& session);  // std::runtime_error when it cannot be written
void forget_session();

}  // namespace hvagent::cli
