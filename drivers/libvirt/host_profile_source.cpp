#include "drivers/libvirt/host_profile_source.h"

#include <libvirt/virterror.h>

#include <cstring>
#include <fstream>
#include <pugixml.hpp>

#include "drivers/libvirt/direct_io.h"
#include "drivers/libvirt/kvm_probe.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

// Each QEMU takes about a thousand of them. Half is left to VMs that are defined but not started yet, and to others.
bool has_native_io() {
    const auto number_in = [](const char* path) {
        long long number = -1;
        std::ifstream(path) >> number;
        return number;
    };
    const long long used = number_in("/proc/sys/fs/aio-nr");
    return used >= 0 && used < number_in("/proc/sys/fs/aio-max-nr") / 2;
}

bool offers(const pugi::xml_node& device, const char* enum_name, const char* value) {
    for (const pugi::xml_node& list : device.children("enum"))
        if (std::strcmp(list.attribute("name").value(), enum_name) == 0)
            for (const pugi::xml_node& entry : list.children("value"))
                if (std::strcmp(entry.text().get(), value) == 0) return true;
    return false;
}

// Nothing where the driver has no domain capabilities (libvirt's test driver).
std::optional<pugi::xml_document> capabilities(virConnectPtr connection, const std::string& virt_type) {
    Text xml(virConnectGetDomainCapabilities(connection, nullptr, nullptr, nullptr, virt_type.c_str(), 0));
    pugi::xml_document document;
    if (!xml || !document.load_string(xml.get())) return std::nullopt;
    return document;
}

}  // namespace

// With the mutex held.
std::string HostProfileSource::choose_virt_type(virConnectPtr connection) {
    if (settings_.virt_type != "auto") return settings_.virt_type;
    if (chosen_virt_type_.empty()) {
        const KvmTrial trial = capabilities(connection, "kvm") ? try_kvm() : KvmTrial{false, "libvirt offers no KVM"};
        chosen_virt_type_ = trial.works ? "kvm" : "qemu";
        log::info("virt_type chosen", {{"virt_type", chosen_virt_type_}, {"reason", trial.why_not}});
    }
    return chosen_virt_type_;
}

void HostProfileSource::forget() {
    std::lock_guard lock(mutex_);
    known_.reset();
}

HostProfile HostProfileSource::profile(virConnectPtr connection) {
    std::lock_guard lock(mutex_);
    if (known_) return *known_;
    const char* driver = checked(virConnectGetType(connection), "read the type of the hypervisor");
    HostProfile profile;
    profile.hotplug = settings_.hotplug;
    profile.spare_pcie_ports = settings_.spare_pcie_ports;
    profile.allows_direct_io = allows_direct_io;
    profile.has_native_io = has_native_io;
    virNodeInfo node{};
    checked(virNodeGetInfo(connection, &node), "read the host's size");
    profile.cpus = static_cast<int>(node.cpus);
    if (std::strcmp(driver, "TEST") == 0) {
        profile.virt_type = "test";
    } else {
        profile.virt_type = choose_virt_type(connection);
        if (const auto document = capabilities(connection, profile.virt_type)) {
            const pugi::xml_node devices = document->child("domainCapabilities").child("devices");
            profile.has_spice = offers(devices.child("graphics"), "type", "spice");
            profile.has_qxl = offers(devices.child("video"), "modelType", "qxl");
        }
    }
    known_ = profile;
    return profile;
}

}  // namespace hvagent::libvirt
