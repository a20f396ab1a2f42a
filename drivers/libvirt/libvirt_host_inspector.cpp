#include "drivers/libvirt/libvirt_host_inspector.h"

#include <fstream>
#include <map>
#include <pugixml.hpp>

#include "drivers/libvirt/host_hardware.h"

namespace hvagent::libvirt {
namespace {

std::string version_text(unsigned long version) {
    return std::to_string(version / 1000000) + "." + std::to_string(version / 1000 % 1000) + "." +
           std::to_string(version % 1000);
}

// os-release(5): KEY=value or KEY="value".
std::map<std::string, std::string> os_release() {
    std::map<std::string, std::string> values;
    std::ifstream file("/etc/os-release");
    if (!file) file.open("/usr/lib/os-release");
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || line.front() == '#') continue;
        std::string value = line.substr(equals + 1);
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
            value = value.substr(1, value.size() - 2);
        values[line.substr(0, equals)] = value;
    }
    return values;
}

void read_capabilities(virConnectPtr connection, HostFacts& facts) {
    Text xml(checked(virConnectGetCapabilities(connection), "read the host's capabilities"));
    pugi::xml_document document;
    if (!document.load_string(xml.get())) throw Error(Code::internal, "libvirt's capabilities cannot be read");
    const pugi::xml_node host = document.child("capabilities").child("host");
    facts.architecture = host.child("cpu").child("arch").text().get();
    for (const pugi::xml_node& cell : host.child("topology").child("cells").children("cell")) {
        NumaCell one;
        one.id = cell.attribute("id").as_int();
        one.memory = static_cast<Bytes>(cell.child("memory").text().as_llong()) * KiB;  // libvirt's unit here
        for (const pugi::xml_node& cpu : cell.child("cpus").children("cpu"))
            one.cpus.push_back(cpu.attribute("id").as_int());
        facts.numa_cells.push_back(std::move(one));
    }
}

HostFacts ask(Session& session, HostProfileSource& profile) {
    virConnectPtr connection = session.connection();
    virNodeInfo node{};
    checked(virNodeGetInfo(connection, &node), "read the host's size");
    HostFacts facts;
    facts.cpus = static_cast<int>(node.cpus);
    facts.sockets = static_cast<int>(node.sockets * node.nodes);
    facts.memory = static_cast<Bytes>(node.memory) * KiB;
    facts.cores_per_socket = static_cast<int>(node.cores);
    facts.threads_per_core = static_cast<int>(node.threads);
    read_capabilities(connection, facts);
    if (facts.architecture.empty()) facts.architecture = node.model;
    unsigned long version = 0;
    checked(virConnectGetLibVersion(connection, &version), "read libvirt's version");
    facts.libvirt_version = version_text(version);
    version = 0;
    checked(virConnectGetVersion(connection, &version), "read the hypervisor's version");
    facts.qemu_version = version_text(version);
    const auto release = os_release();
    const auto value = [&](const char* key) { return release.contains(key) ? release.at(key) : std::string(); };
    facts.os_distribution = value("ID");
    facts.os_release = value("VERSION_CODENAME");
    facts.os_version = value("VERSION_ID");
    facts.virt_type = profile.profile(connection).virt_type;
    read_hardware(facts);
    return facts;
}

}  // namespace

LibvirtHostInspector::LibvirtHostInspector(CallRunner& queries, std::shared_ptr<HostProfileSource> profile,
                                           CallTimeouts timeouts)
    : queries_(queries), profile_(std::move(profile)), timeouts_(timeouts) {}

std::optional<HostFacts> LibvirtHostInspector::known_facts() {
    std::lock_guard lock(mutex_);
    return known_;
}

HostFacts LibvirtHostInspector::facts() {
    if (auto known = known_facts()) return *known;
    HostFacts facts = queries_.run({"read the host's facts", VmId(), false, true}, timeouts_.call,
                                   [profile = profile_](Session& session) { return ask(session, *profile); });
    std::lock_guard lock(mutex_);
    known_ = facts;
    return facts;
}

Bytes LibvirtHostInspector::free_memory() {
    std::ifstream file("/proc/meminfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("MemAvailable:", 0) == 0) return std::stoll(line.substr(13)) * KiB;
    throw Error(Code::internal, "/proc/meminfo has no MemAvailable");
}

void LibvirtHostInspector::forget() {
    std::lock_guard lock(mutex_);
    known_.reset();
}

}  // namespace hvagent::libvirt
