// Which of the known hosts a VM could move to.
#pragma once
#include <string>
#include <vector>

#include "agent/operations/migration/bundle.h"
#include "agent/operations/services.h"

namespace hvagent::operations {

struct Candidate {
    Host host;
    std::vector<std::string> reasons;  // against it; empty: it fits
};

// All other hosts, asked side by side; those that fit first, the one with the most free memory before. The storages' probes
// must be there.
std::vector<Candidate> find_candidates(Services& services, const VmBundle& bundle);

// "h2: it has no bridge br1; h3: it is Disconnected"
std::string shown_reasons(const std::vector<Candidate>& candidates);

}  // namespace hvagent::operations
