// The handlers of the VM operations, one file each or a few that belong together.
#pragma once
#include "agent/operations/services.h"
#include "agent/operations/vm/params.h"
#include "hvagent/job.h"

namespace hvagent::operations {

using nlohmann::json;

json create_vm(Services& services, Job& job, const CreateVm& params);  // create.cpp

json start_vm(Services& services, Job& job, const StartVm& params);  // power.cpp
json stop_vm(Services& services, Job& job, const StopVm& params);
json reboot_vm(Services& services, Job& job, const OnVm& params);
json pause_vm(Services& services, Job& job, const OnVm& params);
json resume_vm(Services& services, Job& job, const ResumeVm& params);

json settle_vm(Services& services, Job& job, const OnVm& params);  // settle.cpp

json destroy_vm(Services& services, Job& job, const DestroyVm& params);  // destroy.cpp
json recover_vm(Services& services, Job& job, const OnVm& params);
json expunge_vm(Services& services, Job& job, const OnVm& params);

json update_vm(Services& services, Job& job, const UpdateVm& params);  // update.cpp
json change_instance_offering(Services& services, Job& job, const ChangeOffering& params);
json set_ha_level(Services& services, Job& job, const SetHaLevel& params);
json delete_ha_level(Services& services, Job& job, const OnVm& params);
json get_ha_level(Services& services, const api::Call& call, const OnVm& params);

json get_vm_capabilities(Services& services, const api::Call& call, const OnVm& params);  // candidates.cpp
json get_starting_candidates(Services& services, const api::Call& call, const OnVm& params);
json get_places_for_creating(Services& services, const api::Call& call, const FindPlaceForVm& params);

}  // namespace hvagent::operations
