// Name, description, state: records only.
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {

json change_volume_state(Services& services, Job&, const ChangeVolumeState& params) {
    services.inventory.modify<Volume>(params.volume, [&](Volume& record) {
        if (record.type != VolumeType::data)
            throw Error(Code::operation_failed, shown(record) + " is a Root volume, which is always Enabled");
        if (record.status == VolumeStatus::deleted)
            throw Error(Code::operation_failed, shown(record) + " is Deleted; recover it first");
        record.state = state_after(params.event);
    });
    return services.inventory.answer("Volume", params.volume.str());
}

json update_volume(Services& services, Job&, const UpdateVolume& params) {
    services.inventory.modify<Volume>(params.volume, [&](Volume& record) {
        if (params.name) record.name = *params.name;
        if (params.description) record.description = *params.description;
    });
    return services.inventory.answer("Volume", params.volume.str());
}

}  // namespace hvagent::operations
