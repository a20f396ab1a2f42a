// What the kernel says about the host, beyond libvirt.
#pragma once
#include <string>

#include "hvagent/drivers/host_facts.h"

namespace hvagent::libvirt {

// CPU, kernel, KVM and IOMMU. What cannot be read stays empty. `root`: where proc and sys lie, for tests.
void read_hardware(HostFacts& facts, const std::string& root = "");

}  // namespace hvagent::libvirt
