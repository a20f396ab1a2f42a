// The destination's side: what is made for a VM before it comes, what makes it this host's, and what goes when it does not
// come.
#pragma once
#include <functional>
#include <string>

#include "agent/operations/migration/bundle.h"
#include "agent/operations/migration/landing.h"
#include "hvagent/cancel.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::operations {

using ArrivalProgress = std::function<void(int percent, const std::string& what)>;

// What is written down of a migration to this host.
struct Arrival {
    VmBundle bundle;
    Landing landing;
};
std::string store(const Arrival& arrival);
Arrival load_arrival(Services& services, const Migration& row);

// Files, networks, and addresses that are kept for it. Repeatable: what an earlier life fetched stays. Error names the file
// or network; what was made is left for drop_arrival.
void prepare_arrival(Services& services, const Arrival& arrival, const ArrivalProgress& progress, Cancellation& cancel);

// What the network must know of the VM, which takes libvirt most of a second: while it is on its way. Repeatable.
void announce_arrival(Services& services, const Arrival& arrival);

// Where libvirt has to put what differs from the source.
MigrationPlaces places_of(Services& services, const Arrival& arrival);
// Volumes whose active layer libvirt copies.
std::vector<VolumeId> copied_volumes(const Arrival& arrival);

// The VM is decided to be this host's, and so its records become. `resume`: it ran at the source and libvirt left it paused.
// Repeatable.
nlohmann::json take_arrival(Services& services, const Migration& row, bool resume);

// The host's part of it, once the records are there: definition and mark name this host, and a guest that the migration left
// paused goes on. Repeatable.
void complete_arrival(Services& services, const VmId& vm, bool resume);

// The VM is the source's: its domain here ends, and what was made for it goes. Repeatable.
void drop_arrival(Services& services, const Migration& row);

}  // namespace hvagent::operations
