// Pieces that several VM operations share.
#pragma once
#include <string>

#include "agent/operations/services.h"
#include "hvagent/job.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent::operations {

// The domain of a VM, from its records and tags. Error(operation_failed) when a part of it is missing.
VmSpec make_spec(Services& services, const Vm& vm);

// What guests of the VM call themselves: its hostname tag, else empty.
std::string hostname_of(Services& services, const VmId& vm);

// Makes files and addresses that are missing, defines the domain and starts it. The VM must show a transition; the caller
// ends it.
void boot(Services& services, Job& job, const VmId& vm);

enum class StoppedBy { guest_agent, acpi, power_off, itself };
std::string_view to_text(StoppedBy method);
// Ends a running or paused VM; returns how. The VM must show a transition; the caller ends it.
StoppedBy halt(Services& services, Job& job, const VmId& vm, StopType type);

// What an HA level asks for at once; call where its tag is written.
void heed_ha_level(Services& services, const VmId& vm, const std::string& level);

// Makes the volumes and addresses that a VM that was only recorded still lacks.
void instantiate(Services& services, Job& job, const VmId& vm);

}  // namespace hvagent::operations
