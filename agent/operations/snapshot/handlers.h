// The handlers of snapshot operations and what they are asked.
#pragma once
#include <optional>
#include <string>

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct CreateSnapshot {
    VolumeId volume;
    std::string name;
    std::string description;
    SnapshotId uuid;
    api::Tags tags;
};

struct OnSnapshot {
    SnapshotId snapshot;
};

struct DeleteSnapshot {
    SnapshotId snapshot;
    std::string delete_mode = "Permissive";
};

struct UpdateSnapshot {
    SnapshotId snapshot;
    std::string name;
    std::optional<std::string> description;
};

json create_snapshot(Services& services, Job& job, const CreateSnapshot& params);  // create.cpp
json delete_snapshot(Services& services, Job& job, const DeleteSnapshot& params);  // remove.cpp
json revert_volume(Services& services, Job& job, const OnSnapshot& params);        // revert.cpp
json update_snapshot(Services& services, Job& job, const UpdateSnapshot& params);  // update.cpp

// Trees with their nodes nested in each other.
json query_trees(Services& services, const api::QueryRequest& request);  // tree_query.cpp

}  // namespace hvagent::operations
