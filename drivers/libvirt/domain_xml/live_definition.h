// What the live XML of a domain says about it.
#pragma once
#include <string>

#include "hvagent/units.h"

namespace hvagent::libvirt {

// Whether the channel org.qemu.guest_agent.0 is open at the guest's end.
bool guest_agent_connected(const std::string& domain_xml);

struct LiveMemory {
    Bytes size = 0;  // plugged now
    Bytes most = 0;  // 0: no room was made
    int free_slots = 0;
};
LiveMemory live_memory(const std::string& domain_xml);

// XML of a DIMM for the first memory cell.
std::string memory_device(Bytes size);

}  // namespace hvagent::libvirt
