// Files of this host that a peer may fetch for a while.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace hvagent::peers {

// Thread-safe. Nothing is kept on disk: after a restart every ticket is void, and what needs one makes a new one.
class PeerFiles {
public:
    // A new ticket for the file at `path`: 256 random bits in hex. Whoever shows it may read the file until it is revoked,
    // so it is a secret. That the file exists is not looked at before somebody comes for it.
    std::string offer(const std::string& path);
    // A ticket that is void already is a success. Who is reading the file goes on to its end.
    void revoke(const std::string& ticket);
    std::optional<std::string> find(const std::string& ticket) const;  // the path

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string>
        paths_;  // by the SHA-256 of the ticket: a lookup must not tell by its time how close a guess is
};

}  // namespace hvagent::peers
