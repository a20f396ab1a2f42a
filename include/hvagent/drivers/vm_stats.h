// What running VMs consume: counters since their start, and sizes now.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent {

// Absent figures were not given: the VM's QEMU did not answer, or this libvirt does not know them.
struct VmDiskStats {
    std::string target;  // "vda"
    std::string source;  // path of the active layer; empty: no medium
    struct Traffic {
        std::uint64_t bytes = 0;
        std::uint64_t requests = 0;
        std::uint64_t nanoseconds = 0;  // spent on them, of all requests together
    };
    std::optional<Traffic> read, written;
    std::optional<std::uint64_t> flushes;
    std::optional<std::uint64_t> capacity;    // bytes: the size the guest sees
    std::optional<std::uint64_t> allocation;  // bytes: written so far
    std::optional<std::uint64_t> physical;    // bytes: of the file
};

struct VmNicStats {
    std::string target;  // the host's end: "vnic1.0"
    struct Traffic {
        std::uint64_t bytes = 0;
        std::uint64_t packets = 0;
        std::uint64_t errors = 0;
        std::uint64_t drops = 0;
    };
    std::optional<Traffic> received, transmitted;  // as the guest sees it
};

struct VmVcpuStats {
    int number = 0;
    std::uint64_t nanoseconds = 0;                    // run
    std::optional<std::uint64_t> waited_nanoseconds;  // wanted to run and could not
};

struct VmStats {
    VmId vm;
    bool active = false;  // running or paused: everything below needs that
    // False: its QEMU has a command of libvirt before it and does not answer.
    bool qemu_responds = true;
    std::chrono::milliseconds qemu_silent_for{0};

    std::optional<std::uint64_t> cpu_nanoseconds;  // of the whole QEMU
    std::optional<std::uint64_t> cpu_user_nanoseconds;
    std::optional<std::uint64_t> cpu_system_nanoseconds;
    std::optional<std::uint64_t> vcpus;  // in use now
    std::vector<VmVcpuStats> each_vcpu;

    std::optional<Bytes> memory;          // the balloon: what the guest has now
    std::optional<Bytes> maximum_memory;  // what it may have
    std::optional<Bytes> rss;             // resident memory of QEMU
    // Told by the guest's balloon driver, where there is one.
    std::optional<Bytes> guest_unused, guest_available, guest_usable, guest_disk_caches;
    std::optional<Bytes> swapped_in, swapped_out;
    std::optional<std::uint64_t> major_faults, minor_faults;

    std::vector<VmDiskStats> disks;
    std::vector<VmNicStats> nics;
};

// Thread-safe.
class VmStatsSource {
public:
    virtual ~VmStatsSource() = default;
    // Of all VMs of ours that run or are paused, in no order. A QEMU that is frozen delays this by a moment at most, the
    // first time; its own figures are then missing. Error(host_connection), Error(timeout): libvirt does not answer.
    virtual std::vector<VmStats> stats() = 0;
    // The same without the balloon's figures and those of each virtual CPU, for half the price.
    virtual std::vector<VmStats> quick_stats() = 0;
};

}  // namespace hvagent
