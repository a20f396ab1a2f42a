#include "agent/peers/peer_files.h"

#include "agent/identity/secret_hash.h"

namespace hvagent::peers {

std::string PeerFiles::offer(const std::string& path) {
    const std::string ticket = identity::random_hex(32);
    const std::lock_guard lock(mutex_);
    paths_[identity::sha256_hex(ticket)] = path;
    return ticket;
}

void PeerFiles::revoke(const std::string& ticket) {
    const std::lock_guard lock(mutex_);
    paths_.erase(identity::sha256_hex(ticket));
}

std::optional<std::string> PeerFiles::find(const std::string& ticket) const {
    const std::lock_guard lock(mutex_);
    const auto found = paths_.find(identity::sha256_hex(ticket));
    return found == paths_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace hvagent::peers
