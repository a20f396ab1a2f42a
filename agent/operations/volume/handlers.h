// The handlers of the volume operations, one file for those that belong together.
#pragma once
#include <nlohmann/json.hpp>

#include "agent/operations/services.h"
#include "agent/operations/volume/params.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

json create_data_volume(Services& services, Job& job, const CreateDataVolume& params);  // create.cpp
json create_volume_from_template(Services& services, Job& job, const CreateFromTemplate& params);
json create_volume_from_snapshot(Services& services, Job& job, const CreateFromSnapshot& params);

json delete_data_volume(Services& services, Job& job, const DeleteVolume& params);  // deletion.cpp
json expunge_data_volume(Services& services, Job& job, const OnVolume& params);
json recover_data_volume(Services& services, Job& job, const OnVolume& params);

json change_volume_state(Services& services, Job& job, const ChangeVolumeState& params);  // update.cpp
json update_volume(Services& services, Job& job, const UpdateVolume& params);

json sync_volume_size(Services& services, Job& job, const OnVolume& params);  // size.cpp
json resize_root_volume(Services& services, Job& job, const ResizeVolume& params);
json resize_data_volume(Services& services, Job& job, const ResizeVolume& params);

json attach_data_volume(Services& services, Job& job, const AttachVolume& params);  // attach.cpp
json detach_data_volume(Services& services, Job& job, const DetachVolume& params);

json set_volume_throttle(Services& services, Job& job, const SetVolumeThrottle& params);  // throttle.cpp
json delete_volume_throttle(Services& services, Job& job, const DeleteVolumeThrottle& params);
json get_volume_throttle(Services& services, const api::Call& call, const GetVolumeThrottle& params);

json get_volume_formats(Services& services, const api::Call& call, const OnVolume& params);  // candidates.cpp
json get_volume_capabilities(Services& services, const api::Call& call, const OnVolume& params);
json get_vms_for_volume(Services& services, const api::Call& call, const OnVolume& params);
json get_volumes_for_vm(Services& services, const api::Call& call, const VolumesForVm& params);

}  // namespace hvagent::operations
