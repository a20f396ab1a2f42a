// Moving VMs between hosts: parameters and handlers.
#pragma once
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct MigrateVm {
    VmId vm;
    HostId host;
    bool from_destination = false;
    std::string strategy;
    std::optional<int> down_time;  // milliseconds
    api::Tags tags;
};

struct MigrationQuestion {
    VmId vm;
};

// migrate.cpp
json migrate_vm(Services& services, Job& job, const MigrateVm& params);
// candidates.cpp
json get_migration_candidates(Services& services, const api::Call& call, const MigrationQuestion& params);

}  // namespace hvagent::operations
