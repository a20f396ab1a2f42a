// Tags set and changed on things that exist: parameters and handlers.
#pragma once
#include <string>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct CreateTag {
    std::string resource_type;  // "VmInstanceVO"
    std::string resource_uuid;
    std::string tag;
};

struct UpdateTag {
    TagId tag;
    std::string text;
};

struct DeleteTag {
    TagId tag;
    std::string delete_mode = "Permissive";
};

json create_system_tag(Services& services, Job& job, const CreateTag& params);
json create_user_tag(Services& services, Job& job, const CreateTag& params);
json update_system_tag(Services& services, Job& job, const UpdateTag& params);
json delete_tag(Services& services, Job& job, const DeleteTag& params);

}  // namespace hvagent::operations
