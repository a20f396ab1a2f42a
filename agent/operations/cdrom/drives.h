// CD-ROM drives of a VM: how many there are is decided at its creation.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/operations/services.h"

namespace hvagent::operations {

inline constexpr int most_cdroms = 3;

// What the system tags cdroms, iso and createWithoutCdRom of a creation ask for; without them as many empty drives as the
// settings say. `boot_iso`: the ISO that the VM is made from, if it is; it is in the first drive unless a tag puts it
// elsewhere. Error(invalid_argument) names the tag. The tags speak about the creation only: they are taken out of `tags`.
std::vector<VmCdRom> plan_drives(Services& services, const VmId& vm, std::vector<std::string>& tags,
                                 const std::optional<Image>& boot_iso);

// In the order of their device ids.
std::vector<VmCdRom> drives_of(const inventory::Inventory& inventory, const VmId& vm);

// An ISO that a VM can be given: Error(invalid_argument) when it is no ISO, Error(operation_failed) while it cannot be used.
Image usable_iso(Services& services, const ImageId& iso);

}  // namespace hvagent::operations
