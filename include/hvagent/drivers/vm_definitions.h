// Definitions of VMs on the host: what is written down, apart from whether it runs.
#pragma once
#include <string>
#include <vector>

#include "hvagent/ids.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent {

struct ForeignDomain {  // a domain without our mark: listed, never touched
    std::string name;
    std::string uuid;  // dashed
    std::string state;
};

// Thread-safe; deadlines and connection errors as in VmPower.
class VmDefinitions {
public:
    virtual ~VmDefinitions() = default;
    // Writes (or rewrites) the persistent definition. Error(invalid_argument) when libvirt refuses it;
    // Error(operation_failed) when a domain of that name or uuid exists that is not ours.
    virtual void define(const VmSpec& spec) = 0;
    // Also removes NVRAM, TPM state and managed save. Not defined is a success. Refuses domains without our mark.
    virtual void undefine(const VmId& vm) = 0;
    virtual bool is_defined(const VmId& vm) = 0;
    virtual std::vector<ForeignDomain> list_foreign() = 0;
};

}  // namespace hvagent
