#include "agent/operations/vm/creation_plan.h"

#include <nlohmann/json.hpp>

namespace hvagent::operations {

using nlohmann::json;

std::string to_text(const CreationPlan& plan) {
    json disks = json::array();
    for (const PlannedDisk& disk : plan.disks)
        disks.push_back({{"volume", disk.volume.str()},
                         {"name", disk.name},
                         {"size", disk.size},
                         {"offering", disk.offering.str()},
                         {"image", disk.image.str()},
                         {"tags", disk.tags}});
    return json{{"storage", plan.storage.str()}, {"disks", disks}}.dump();
}

CreationPlan parse_creation_plan(const std::string& text) {
    const json stored = json::parse(text);
    CreationPlan plan;
    plan.storage = PrimaryStorageId(stored.at("storage").get<std::string>());
    for (const json& disk : stored.at("disks")) {
        PlannedDisk planned;
        planned.volume = VolumeId(disk.at("volume").get<std::string>());
        planned.name = disk.at("name").get<std::string>();
        planned.size = disk.at("size").get<Bytes>();
        planned.offering = DiskOfferingId(disk.at("offering").get<std::string>());
        planned.image = ImageId(disk.at("image").get<std::string>());
        planned.tags = disk.at("tags").get<std::vector<std::string>>();
        plan.disks.push_back(std::move(planned));
    }
    return plan;
}

}  // namespace hvagent::operations
