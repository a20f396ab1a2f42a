// This host through libvirt: makes the drivers and what they share. The only header of this folder others include.
#pragma once
#include <memory>
#include <string>

#include "drivers/libvirt/call_observer.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/host_facts.h"
#include "hvagent/drivers/virtual_networks.h"
#include "hvagent/drivers/vm_definitions.h"
#include "hvagent/drivers/vm_disks.h"
#include "hvagent/drivers/vm_guests.h"
#include "hvagent/drivers/vm_migration.h"
#include "hvagent/drivers/vm_observer.h"
#include "hvagent/drivers/vm_power.h"
#include "hvagent/drivers/vm_stats.h"

namespace hvagent::libvirt {

struct LibvirtSettings {
    std::string uri = "qemu:///system";
    std::string virt_type = "auto";  // "kvm", "qemu" (emulation), or "auto": kvm where a guest was seen to run
    milliseconds call_timeout{30000};
    // Pulling the plug of a frozen QEMU takes libvirt 10 s; one stuck in storage takes longer.
    milliseconds destroy_timeout{45000};
    milliseconds query_timeout{10000};  // of calls that ask no QEMU
    milliseconds connect_wait{3000};    // how long a call waits for a libvirt that restarts
    int work_connections = 8;
    bool hotplug = false;      // VMs are defined with room for more CPUs and memory
    int spare_pcie_ports = 8;  // for devices plugged in later
};

// Thread-safe. Nothing happens (no thread, no connection) before the first call or observer().start().
class LibvirtHost {
public:
    // `clock` and `images` must outlive this object.
    LibvirtHost(LibvirtSettings settings, const Clock& clock, DiskImages& images);
    ~LibvirtHost();
    LibvirtHost(const LibvirtHost&) = delete;
    LibvirtHost& operator=(const LibvirtHost&) = delete;

    VmPower& power();
    VmDisks& disks();
    VmMigration& migration();
    VmDefinitions& definitions();
    VmObserver& observer();
    HostInspector& inspector();
    VirtualNetworks& networks();
    VmStatsSource& stats();
    VmGuests& guests();

    // Before the first call.
    void observe_calls(const CallObserver& observer);

    // Of connections and threads that carry calls now; the observer's are not counted.
    struct Load {
        int connections = 0;
        int threads = 0;
    };
    Load load() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace hvagent::libvirt
