// What can be learnt of a guest from outside: its addresses, and whether its agent listens.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "hvagent/ids.h"

namespace hvagent {

struct GuestAddress {
    std::string mac;
    std::string address;  // IPv4 or IPv6
    int prefix = 0;
    std::string interface;  // the guest's name of it: "eth0"; empty where only the DHCP server was asked
};

struct GuestSight {
    bool active = false;                            // running or paused; everything below needs that
    bool agent_connected = false;                   // its end of the channel is open
    std::vector<GuestAddress> leased;               // by DHCP of networks of this host
    std::optional<std::vector<GuestAddress>> told;  // by the guest agent; nullopt: it is not there, or did not answer
    std::string hostname;                           // told by the guest agent
    std::string agent_failure;                      // why it told nothing
};

// Thread-safe; deadlines and connection errors as in VmPower. Error(not_found): no such domain.
class VmGuests {
public:
    virtual ~VmGuests() = default;
    // Waits a few seconds at most for a guest agent that does not answer.
    virtual GuestSight look(const VmId& vm) = 0;
};

}  // namespace hvagent
