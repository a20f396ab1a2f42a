// The link to another agent. Nothing of it is shown on the wire: the host's record is what answers show.
#pragma once
#include <string>

#include "hvagent/clock.h"
#include "hvagent/ids.h"

namespace hvagent {

struct Peer {
    HostId uuid;                       // the other agent's own host
    std::string url;                   // "https://10.0.0.5:8080"
    std::string token_out;             // secret: what we present to it
    std::string token_in_hash;         // SHA-256 of what it presents to us
    std::string former_token_in_hash;  // still good until the new one was presented once
    std::string boot_id;               // of its kernel, as last seen
    std::string agent_version;
    std::string libvirt_version;
    std::string qemu_version;
    std::string failure;  // why it is Disconnected
    Time answered_at{};   // when it last answered, by our clock
    Time created{};
    Time last_op{};
};

}  // namespace hvagent
