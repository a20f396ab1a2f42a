// The destination's side: where a VM that comes would be here, and what is in the way.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "agent/operations/migration/bundle.h"

namespace hvagent::operations {

struct LandingStorage {
    PrimaryStorage storage;  // of this host
    bool shared = false;     // the source sees the same files
};

struct Landing {
    std::map<PrimaryStorageId, LandingStorage> storages;  // by the source's
    std::map<L3NetworkId, L3NetworkId> networks;          // the source's -> this host's
    std::map<std::string, std::string> paths;             // every file at the source -> here
    bool nvram_shared = false;                            // both hosts see the same file of UEFI variables
    std::vector<std::string> reasons;                     // against it, in words; empty: the VM can come

    bool is_shared(const PrimaryStorageId& source_storage) const { return storages.at(source_storage).shared; }
};

// Changes nothing. Whatever cannot be found out is a reason.
Landing find_landing(Services& services, const VmBundle& bundle);

nlohmann::json to_json(const Landing& landing);
// Without the reasons.
Landing landing_from_json(Services& services, const nlohmann::json& stored);

}  // namespace hvagent::operations
