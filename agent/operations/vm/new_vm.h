// What a CreateVmInstance asks for, checked and completed: nothing on the host is touched here.
#pragma once
#include <vector>

#include "agent/operations/services.h"
#include "agent/operations/vm/creation_plan.h"
#include "agent/operations/vm/params.h"

namespace hvagent::operations {

struct NewVm {
    Vm vm;
    CreationPlan plan;
    std::vector<VmNic> nics;
    std::vector<VmCdRom> cdroms;
    std::vector<std::string> system_tags;  // the request's, the offering's and the image's
};

// Error(operation_failed) or Error(invalid_argument) names what is missing, disabled or contradictory.
NewVm design_vm(Services& services, const CreateVm& params);
// Storage for new volumes: the wanted one, or the first that is Enabled and Connected.
PrimaryStorage choose_primary_storage(Services& services, const PrimaryStorageId& wanted);

}  // namespace hvagent::operations
