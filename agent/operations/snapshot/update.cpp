// UpdateVolumeSnapshot.
#include "agent/operations/snapshot/handlers.h"

namespace hvagent::operations {

json update_snapshot(Services& services, Job&, const UpdateSnapshot& params) {
    services.inventory.modify<VolumeSnapshot>(params.snapshot, [&](VolumeSnapshot& record) {
        if (!params.name.empty()) record.name = params.name;
        if (params.description) record.description = *params.description;
    });
    return services.inventory.answer("VolumeSnapshot", params.snapshot.str());
}

}  // namespace hvagent::operations
