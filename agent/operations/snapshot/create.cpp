// CreateVolumeSnapshot.
#include "agent/operations/rows.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/snapshot/handlers.h"

namespace hvagent::operations {

json create_snapshot(Services& services, Job& job, const CreateSnapshot& params) {
    check_no_system_tags(params.tags, "volume snapshot");
    const bool quiet =
        make_snapshots(services, job, {{params.uuid, params.volume, params.name, params.description, "", params.tags}});
    json answer = services.inventory.answer("VolumeSnapshot", params.uuid.str());
    answer["quiesced"] = quiet;
    return answer;
}

}  // namespace hvagent::operations
