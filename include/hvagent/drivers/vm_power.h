// Power of a VM: what `virsh start|destroy|suspend|resume|shutdown` do.
#pragma once
#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent {

enum class ShutdownMethod { acpi, guest_agent };

// Thread-safe. Every call has a deadline: when libvirt does not answer in time it throws Error(timeout), which says
// that the outcome is unknown. Error(host_connection): libvirt cannot be reached. Error(not_found): no such domain.
class VmPower {
public:
    virtual ~VmPower() = default;
    // The VM must be defined and off; a VM that already runs is left alone.
    virtual void start(const VmId& vm, bool paused) = 0;
    // Pulls the plug. A VM that is off already, or not there, is a success.
    virtual void destroy(const VmId& vm) = 0;
    virtual void suspend(const VmId& vm) = 0;
    virtual void resume(const VmId& vm) = 0;
    // Asks the guest to power off and returns; whether it obeys shows in its state.
    virtual void request_shutdown(const VmId& vm, ShutdownMethod method) = 0;
    // Whether the guest agent's channel is connected now, from the live definition.
    virtual bool has_guest_agent(const VmId& vm) = 0;
    // Changes the live VM; only growth is possible. Error(no_capability) where the definition leaves no room.
    virtual void set_live_cpus(const VmId& vm, int cpus) = 0;
    virtual void set_live_memory(const VmId& vm, Bytes memory) = 0;
};

}  // namespace hvagent
