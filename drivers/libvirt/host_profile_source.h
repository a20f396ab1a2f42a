// What libvirt and the kernel say about the host, asked once per life of libvirt.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt {

struct ProfileSettings {
    std::string virt_type = "auto";  // "auto", "kvm" or "qemu"
    bool hotplug = false;
    int spare_pcie_ports = 8;
};

// Thread-safe.
class HostProfileSource {
public:
    explicit HostProfileSource(ProfileSettings settings) : settings_(std::move(settings)) {}

    // To be called inside a call: the first one asks libvirt, which may start QEMU to learn its abilities.
    HostProfile profile(virConnectPtr connection);
    // A libvirt that was restarted may know another QEMU.
    void forget();

private:
    std::string choose_virt_type(virConnectPtr connection);

    const ProfileSettings settings_;
    std::mutex mutex_;
    std::optional<HostProfile> known_;
    std::string chosen_virt_type_;  // does not change while the process lives: VMs are defined with it
};

}  // namespace hvagent::libvirt
