// What a VM tries to boot from, kept in its system tags bootOrder and bootOrderOnce.
#pragma once
#include <string>
#include <vector>

#include "agent/operations/services.h"
#include "hvagent/enum_names.h"
#include "hvagent/model/vm_spec.h"

namespace hvagent::operations {

// Empty: no order was set.
std::vector<BootDevice> stored_boot_order(const std::vector<std::string>& tags);
// For the domain. Without a stored order the disk is tried first: one that holds nothing yet is passed over, so an
// installation boots from its CD and, when it restarts, from what it installed.
std::vector<BootDevice> boot_order_of(const std::vector<std::string>& tags);

// Call when a VM was started: an order that was meant for one boot is over.
void forget_order_of_one_boot(Services& services, const VmId& vm);

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::BootDevice> {
    using B = hvagent::BootDevice;
    static constexpr auto names =
        hvagent::enum_names<B>({{B::hard_disk, "HardDisk"}, {B::cdrom, "CdRom"}, {B::network, "Network"}});
};
