// What the host is and has.
#pragma once
#include <cstdint>
#include <string>

#include "hvagent/units.h"

namespace hvagent {

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
};

class HostInspector {
public:
    virtual ~HostInspector() = default;
    // Error(host_connection) while libvirt cannot be reached. Cheap; cached while the connection lives.
    virtual HostFacts facts() = 0;
    // MemAvailable of the kernel.
    virtual Bytes free_memory() = 0;
};

}  // namespace hvagent
