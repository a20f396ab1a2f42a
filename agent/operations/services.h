// What operations work with: the host through its interfaces, the store, and what they share among each other. Made once
// in app/compose.cpp.
#pragma once
#include <functional>

#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"
#include "agent/state/vm_states.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/disk_images.h"
#include "hvagent/drivers/host_facts.h"
#include "hvagent/drivers/http_client.h"
#include "hvagent/drivers/storage_pool.h"
#include "hvagent/drivers/virtual_networks.h"
#include "hvagent/drivers/vm_definitions.h"
#include "hvagent/drivers/vm_disks.h"
#include "hvagent/drivers/vm_observer.h"
#include "hvagent/drivers/vm_power.h"

namespace hvagent::operations {

class HostCapacity;
class ImageCache;
class AddressBook;

struct Services {
    const config::Settings& settings;
    const Clock& clock;
    inventory::Inventory& inventory;
    state::VmStates& states;
    VmPower& power;
    VmDefinitions& definitions;
    HostInspector& inspector;
    VirtualNetworks& networks;
    VmDisks& disks;
    DiskImages& disk_images;
    StorageFiles& files;
    HttpClient& http;
    HostId host;
    HostCapacity& capacity;
    ImageCache& image_cache;
    AddressBook& addresses;
    // To be called when the HA level of a VM changed.
    std::function<void(const VmId&)> consider_ha = [](const VmId&) {};
    // To be called when a scheduler came, went or changed.
    std::function<void()> consider_schedulers = [] {};
    // Error(not_ready) once the host is on its way down; to be called before a VM is started.
    std::function<void()> require_host_stays = [] {};
    // When a guest that is asked to stop must be off, whatever its grace.
    std::function<Moment()> guests_stop_by = [] { return Moment::max(); };
};

// A handler with its services, as Operation::runs_as_job and answers want it.
template <class Context, class P>
auto with(Services& services, nlohmann::json (*handler)(Services&, Context&, const P&)) {
    return [&services, handler](Context& context, const P& params) { return handler(services, context, params); };
}

}  // namespace hvagent::operations
