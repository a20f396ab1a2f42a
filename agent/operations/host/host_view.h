// What the agent's own API tells about this host and its guests; below /hvagent/v1, outside the contract.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/operations/services.h"
#include "agent/state/storage_watch.h"
#include "hvagent/drivers/host_load.h"
#include "hvagent/drivers/vm_guests.h"

namespace hvagent::operations {

using nlohmann::json;

struct HostView {
    Services& services;
    HostLoadSource& load;
    VmGuests& guests;
    const state::StorageWatch& storages;
    std::string version;  // of the agent
    // Controllers and how far their clocks are ahead of ours, as far as they have said.
    std::function<std::vector<std::pair<std::string, milliseconds>>()> controller_clocks;
};

// Whose clocks differ by more than this are told of.
inline constexpr seconds clock_tolerance{5};

// GET facts: CPUs, memory, NUMA, KVM, IOMMU, versions, capacity, pressure, storages, networks. What libvirt alone knows is
// absent while it is silent, and "libvirt" says so.
json host_facts(const HostView& view);
// For reports: a few members of it, without asking anybody who may hang.
json short_facts(const HostView& view);

// POST fit {"cpuNum", "memorySize", "vmInstanceUuid"?}: {"fits", "reasons"}. The same rules as a start; nothing is promised.
json does_it_fit(const HostView& view, const json& body);

// GET vms/<uuid>/guest: the guest agent's state and the addresses, each with its source.
json guest_of_vm(const HostView& view, const std::string& uuid);

// GET doctor: {"findings": [{"kind", "severity", "details", "path"?}]}; severity: error, warning or note.
json host_findings(const HostView& view);

}  // namespace hvagent::operations
