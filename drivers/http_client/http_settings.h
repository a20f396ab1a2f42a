// What outgoing HTTP may do, from the configuration.
#pragma once
#include <string>
#include <vector>

#include "hvagent/clock.h"

namespace hvagent {

struct HttpSettings {
    // Local files that file:// must not reach; "/etc/**" is all below /etc.
    std::vector<std::string> blocked_local_paths{"/etc/**", "/dev/**", "/proc/**", "/sys/**", "/run/**", "/var/log/**"};
    seconds connect_timeout{15};
    seconds stall_timeout{60};  // a download that got less than 1 KiB/s for so long is given up
    std::string proxy;          // for downloads; empty: none, whatever the environment says
    std::string ca_file;        // PEM; empty: those of the system
};

}  // namespace hvagent
