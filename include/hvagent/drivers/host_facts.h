// What the host is and has.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/units.h"

namespace hvagent {

struct NumaCell {
    int id = 0;
    Bytes memory = 0;
    std::vector<int> cpus;
};

struct HostFacts {
    int cpus = 0;  // logical
    int sockets = 0;
    Bytes memory = 0;
    std::string architecture;     // "x86_64"
    std::string libvirt_version;  // "9.0.0"
    std::string qemu_version;
    std::string os_distribution;  // from os-release: ID
    std::string os_release;       // VERSION_CODENAME
    std::string os_version;       // VERSION_ID
    std::string virt_type;        // "kvm" or "qemu": what VMs are defined with
    int cores_per_socket = 0;
    int threads_per_core = 0;
    std::vector<NumaCell> numa_cells{};
    std::string cpu_model{};  // as the kernel names it
    std::vector<std::string> cpu_flags{};
    std::string kernel_version{};
    bool kvm_works = false;    // a guest was seen to run through /dev/kvm
    std::string kvm_reason{};  // why not
    int iommu_groups = 0;      // 0: there is no IOMMU, or it is switched off
};

class HostInspector {
public:
    virtual ~HostInspector() = default;
    // Error(host_connection) while libvirt cannot be reached. Cheap; cached while the connection lives.
    virtual HostFacts facts() = 0;
    // What facts() found since the last connection; does not ask.
    virtual std::optional<HostFacts> known_facts() = 0;
    // MemAvailable of the kernel.
    virtual Bytes free_memory() = 0;
};

}  // namespace hvagent
