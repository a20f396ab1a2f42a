#include "agent/operations/flatten/handlers.h"

#include <algorithm>

#include "agent/operations/flatten/flatten.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// A volume that several VMs share is written past any one of them.
std::vector<Volume> volumes_to_flatten(Services& services, const FlattenVm& params) {
    auto volumes = services.inventory.list<Volume>({{"vmInstanceUuid", params.vm.str()}});
    std::erase_if(volumes, [&](const Volume& volume) {
        return volume.shareable || (!params.full && volume.type != VolumeType::root);
    });
    std::sort(volumes.begin(), volumes.end(), [](const Volume& a, const Volume& b) { return a.device_id < b.device_id; });
    return volumes;
}

json to_json(const FlattenPrediction& one) {
    return {{"volumeUuid", one.volume.uuid.str()},
            {"bytesToCopy", one.bytes_to_copy},
            {"resultingSize", one.resulting_size},
            {"fits", one.fits}};
}

json show(const std::vector<FlattenPrediction>& predictions) {
    json list = json::array();
    for (const FlattenPrediction& one : predictions) list.push_back(to_json(one));
    return list;
}

void check(const Volume& volume) {
    if (volume.shareable)
        throw Error(Code::operation_failed, shown(volume) + " is shareable; only volumes of one VM are flattened");
    if (volume.status != VolumeStatus::ready)
        throw Error(Code::operation_failed,
                    shown(volume) + " is " + std::string(hvagent::to_text(volume.status)) + ", not Ready");
}

}  // namespace

json flatten_vm(Services& services, Job& job, const FlattenVm& params) {
    const std::vector<Volume> volumes = volumes_to_flatten(services, params);
    if (!params.dry_run) {
        flatten(services, job, volumes);
        services.image_cache.drop_unused();
        return services.inventory.answer("VmInstance", params.vm.str());
    }
    const auto predictions = predict_flatten(services, volumes);
    json answer = services.inventory.answer("VmInstance", params.vm.str());
    for (json& volume : answer["inventory"]["allVolumes"])
        for (const FlattenPrediction& one : predictions)
            if (volume["uuid"] == one.volume.uuid.str()) volume["actualSize"] = one.resulting_size;
    answer["estimates"] = show(predictions);
    return answer;
}

json flatten_volume(Services& services, Job& job, const FlattenVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    check(volume);
    if (!params.dry_run) {
        flatten(services, job, {volume});
        services.image_cache.drop_unused();
        return services.inventory.answer("Volume", params.volume.str());
    }
    const auto predictions = predict_flatten(services, {volume});
    json answer = services.inventory.answer("Volume", params.volume.str());
    answer["inventory"]["actualSize"] = predictions.front().resulting_size;
    answer["estimates"] = show(predictions);
    return answer;
}

}  // namespace hvagent::operations
