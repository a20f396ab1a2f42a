// Does a VM fit on this host? One answer for create, start and the candidate queries.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"
#include "hvagent/drivers/host_facts.h"

namespace hvagent::operations {

struct CapacityFigures {
    std::int64_t total_cpus = 0;  // CPUs times the over-commit ratio
    std::int64_t used_cpus = 0;   // promised to VMs on the host and to those about to start
    Bytes total_memory = 0;       // of the host times the ratio, less what is reserved
    Bytes used_memory = 0;        // promised, with what QEMU takes beside it
    Bytes overhead = 0;           // that part of it
};

// What a VM's QEMU takes beside the guest's memory: devices and code (the setting), stacks and translated code of each
// virtual CPU, and page tables of the host and of nested paging.
Bytes overhead_of(const config::Settings& settings, int cpus, Bytes memory);

// Thread-safe.
class HostCapacity {
public:
    HostCapacity(const config::Settings& settings, inventory::Inventory& inventory, HostInspector& inspector, HostId host);

    // Room promised to a VM that is about to start; given back when this dies (the running VM itself counts then).
    class Reservation {
    public:
        Reservation(HostCapacity& owner, VmId vm) : owner_(owner), vm_(std::move(vm)) {}
        ~Reservation() { owner_.release(vm_); }
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;

    private:
        HostCapacity& owner_;
        VmId vm_;
    };

    // Error(no_available_host) tells what is missing. Enabled and Connected are asked for as well.
    [[nodiscard]] std::unique_ptr<Reservation> reserve(const VmId& vm, int cpus, Bytes memory);
    // Why such a VM does not fit; empty when it does. `vm`, if it is on this host, is not counted twice.
    std::vector<std::string> reasons_against(const VmId& vm, int cpus, Bytes memory);
    std::string why_not(int cpus, Bytes memory);
    CapacityFigures figures();
    // Writes facts and figures of this host into the inventory.
    void refresh_host_record();

private:
    std::vector<std::string> reasons_locked(const VmId& vm, int cpus, Bytes memory);
    CapacityFigures figures_locked(const VmId& except);
    void release(const VmId& vm);

    struct Promise {
        int cpus;
        Bytes memory;
    };
    const config::Settings& settings_;
    inventory::Inventory& inventory_;
    HostInspector& inspector_;
    const HostId host_;
    std::mutex mutex_;
    std::map<VmId, Promise> promises_;
};

}  // namespace hvagent::operations
