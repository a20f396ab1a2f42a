// AddImage: a file from somewhere becomes an image that VMs can be made from.
#pragma once
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

struct AddImage {
    ImageId uuid;
    std::string name;
    std::string description;
    std::string url;
    MediaType media_type = MediaType::root_volume_template;
    std::string guest_os_type;
    std::string architecture = "x86_64";
    bool system = false;
    std::string format;  // required by the manual; an ISO needs none
    std::string platform = "Linux";
    std::vector<BackupStorageId> backup_storages;
    std::string type = "zstack";
    bool virtio = true;
    api::Tags tags;
};

nlohmann::json add_image(Services& services, Job& job, const AddImage& params);

}  // namespace hvagent::operations
