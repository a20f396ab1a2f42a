// What operations work with: the host through its interfaces, the store, and what they share among each other. Made once
// in app/compose.cpp.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

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
#include "hvagent/drivers/vm_migration.h"
#include "hvagent/drivers/vm_observer.h"
#include "hvagent/drivers/vm_power.h"
#include "hvagent/peers.h"

namespace hvagent::peers {
class PeerFiles;
}

namespace hvagent::operations {

class HostCapacity;
class ImageCache;
class AddressBook;
class Migrations;

// Jobs that a job starts and waits for.
struct OwnJobs {
    struct End {
        bool succeeded = false;
        std::string reason;  // of a failure, the innermost
    };
    std::function<JobId(const std::string& operation, const nlohmann::json& arguments)> submit;
    std::function<bool(const JobId& job, Moment until)> wait;      // true: it has ended, or is not known any more
    std::function<std::optional<End>(const JobId& job)> find_end;  // nullopt: not known any more
    std::function<void(const JobId& job)> cancel;
};

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
    VmMigration& migration;
    DiskImages& disk_images;
    StorageFiles& files;
    HttpClient& http;
    HostId host;
    HostCapacity& capacity;
    ImageCache& image_cache;
    AddressBook& addresses;
    Migrations& migrations;
    Peers& peers;
    peers::PeerFiles& peer_files;
    // To be called when the HA level of a VM changed.
    std::function<void(const VmId&)> consider_ha = [](const VmId&) {};
    // To be called when a scheduler came, went or changed.
    std::function<void()> consider_schedulers = [] {};
    // To be called when a peer came, went or should be looked at again.
    std::function<void(const HostId&)> consider_peer = [](const HostId&) {};
    // Why a peer may not be forgotten now ("a migration to it is open"); empty when it may.
    std::function<std::string(const HostId&)> why_host_is_needed = [](const HostId&) { return std::string(); };
    // To be called when something may be open on a VM that this job cannot settle, and when all is settled.
    std::function<void(const VmId&)> settle_later = [](const VmId&) {};
    std::function<void(const VmId&)> is_settled = [](const VmId&) {};
    // Error(not_ready) once the host is on its way down; to be called before a VM is started.
    std::function<void()> require_host_stays = [] {};
    // When a guest that is asked to stop must be off, whatever its grace.
    std::function<Moment()> guests_stop_by = [] { return Moment::max(); };
    OwnJobs own_jobs = {};
};

// A handler with its services, as Operation::runs_as_job and answers want it.
template <class Context, class P>
auto with(Services& services, nlohmann::json (*handler)(Services&, Context&, const P&)) {
    return [&services, handler](Context& context, const P& params) { return handler(services, context, params); };
}

}  // namespace hvagent::operations
