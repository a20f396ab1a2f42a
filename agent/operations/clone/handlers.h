// What gives a VM other disks: parameters and handlers.
#pragma once
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "agent/operations/vm/params.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

struct ReimageVm {
    VmId vm;
};

struct ChangeImage {
    VmId vm;
    ImageId image;
    VolumeId new_root;
};

struct ImageCandidates {
    VmId vm;
};

struct VmName {
    std::string text;
};

struct CloneVm {
    VmId vm;
    std::vector<VmName> names;
    CreationStrategy strategy = CreationStrategy::instant_start;
    bool full = false;
    PrimaryStorageId root_storage;
    PrimaryStorageId data_storage;
    std::vector<std::string> root_volume_tags;
    std::vector<std::string> data_volume_tags;
    ClusterId cluster;
    HostId host;
    api::Tags tags;
};

json reimage_vm(Services& services, Job& job, const ReimageVm& params);      // reimage.cpp
json change_image(Services& services, Job& job, const ChangeImage& params);  // change_image.cpp
json get_images_for_vm(Services& services, const api::Call& call, const ImageCandidates& params);
json clone_vm(Services& services, Job& job, const CloneVm& params);  // clone.cpp

}  // namespace hvagent::operations

template <>
struct hvagent::api::ParamType<hvagent::operations::VmName> {
    using VmName = hvagent::operations::VmName;
    static VmName parse(const json& value, std::string_view name) { return {parse_string(value, name)}; }
    static json to_json(const VmName& value) { return value.text; }
    static json schema() { return {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}, {"x-hvagent-name", true}}; }
    static constexpr std::string_view resource = "";
};
