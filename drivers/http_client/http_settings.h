// What outgoing HTTP may do, from the configuration.
#pragma once
#include <string>
#include <vector>

#include "drivers/files/file_copy.h"
#include "hvagent/clock.h"

namespace hvagent {

struct HttpSettings {
    // Local files that file:// must not reach; "/etc/**" is all below /etc.
    std::vector<std::string> blocked_local_paths{"/etc/**", "/dev/**", "/proc/**", "/sys/**", "/run/**", "/var/log/**"};
    CopyPolicy copies;  // of local files
    seconds connect_timeout{15};
    seconds stall_timeout{60};  // a download that got less than 1 KiB/s for so long is given up
    // A download whose connection broke is tried again after a delay that doubles while nothing new comes.
    int most_attempts = 50;
    int most_fruitless_attempts = 3;  // in a row
    milliseconds first_retry_delay{1000};
    milliseconds longest_retry_delay{30000};
    milliseconds checkpoint_every{1000};  // what a crash of the host costs a download
    std::string proxy;                    // for downloads; empty: none, whatever the environment says
    std::string ca_file;                  // PEM; empty: those of the system
    std::string client_cert, client_key;  // PEM; shown to servers that ask for one
    std::string ssh_known_hosts;          // of sftp: keys of servers seen before; a new server's key is added
};

}  // namespace hvagent
