// Images: parameters and handlers.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/rows.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

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

// Of a volume or a snapshot; what is not given is taken from its VM.
struct MakeTemplate {
    ImageId uuid;
    std::string name;
    std::string description;
    VolumeId volume;
    SnapshotId snapshot;
    std::vector<BackupStorageId> backup_storages;
    std::optional<std::string> guest_os_type;
    std::optional<std::string> platform;
    std::optional<std::string> architecture;
    bool system = false;
    std::optional<bool> virtio;
    api::Tags tags;
};

struct DeleteImage {
    ImageId image;
    std::vector<BackupStorageId> backup_storages;  // empty: all
    std::string mode = "Permissive";
};

struct DeletedImage {
    ImageId image;
    std::vector<BackupStorageId> backup_storages;  // empty: all where it is Deleted
    std::string same;                              // a second spelling of the image's uuid
};

struct OnImage {
    ImageId image;
};

struct ChangeImageState {
    ImageId image;
    StateEvent event = StateEvent::enable;
};

struct UpdateImage {
    ImageId image;
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::string> guest_os_type;
    std::optional<MediaType> media_type;
    std::optional<std::string> format;
    std::optional<bool> system;
    std::optional<std::string> platform;
    std::optional<std::string> architecture;
    std::optional<bool> virtio;
};

struct SetImageQga {
    ImageId image;
    bool enable = false;
};

struct StorageCandidates {
    VolumeId volume;
    SnapshotId snapshot;
};

json add_image(Services& services, Job& job, const AddImage& params);

// template.cpp
json make_root_template(Services& services, Job& job, const MakeTemplate& params);
json make_data_template(Services& services, Job& job, const MakeTemplate& params);
json make_template_from_snapshot(Services& services, Job& job, const MakeTemplate& params);
std::vector<std::string> template_queues(Services& services, const MakeTemplate& params);

// removal.cpp
json delete_image(Services& services, Job& job, const DeleteImage& params);
json recover_image(Services& services, Job& job, const DeletedImage& params);
json expunge_image(Services& services, Job& job, const DeletedImage& params);
// The image's, and those of the VMs that have it in a drive.
std::vector<std::string> image_and_drive_queues(Services& services, const ImageId& image);

// update.cpp
json change_image_state(Services& services, Job& job, const ChangeImageState& params);
json update_image(Services& services, Job& job, const UpdateImage& params);
json sync_image_size(Services& services, Job& job, const OnImage& params);
json set_image_qga(Services& services, Job& job, const SetImageQga& params);
json get_image_qga(Services& services, const api::Call& call, const OnImage& params);

// candidates.cpp
json get_storage_candidates(Services& services, const api::Call& call, const StorageCandidates& params);

}  // namespace hvagent::operations
