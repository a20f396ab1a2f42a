#include "drivers/libvirt/disk_holder.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "drivers/libvirt/domain_xml/domain_disks.h"
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {
namespace {

std::string between(const std::string& text, const std::string& before, const std::string& after) {
    const auto start = text.find(before);
    if (start == std::string::npos) return "";
    const auto from = start + before.size();
    const auto end = text.find(after, from);
    return end == std::string::npos ? "" : text.substr(from, end - from);
}

bool has_open(virDomainPtr domain, const std::string& path) {
    const Text xml(virDomainGetXMLDesc(domain, 0));
    if (!xml) return false;  // went away meanwhile
    for (const DomainDisk& disk : domain_disks(xml.get()).disks) {
        const auto chain = disk.chain();
        if (std::find(chain.begin(), chain.end(), path) != chain.end()) return true;
    }
    return false;
}

// Empty when it is none of this host's.
std::string running_user_of(virConnectPtr connection, const std::string& path) {
    for (const Domain& domain : list_domains(connection, VIR_CONNECT_LIST_DOMAINS_ACTIVE))
        if (has_open(domain.get(), path)) return virDomainGetName(domain.get());
    return "";
}

}  // namespace

std::string locked_file(const std::string& text) {
    if (text.find("Failed to get ") != std::string::npos && text.find(" lock") != std::string::npos)
        return between(text, "Is another process using the image [", "]");
    return between(text, "Lockspace resource '", "' is locked");
}

Error with_holder(virConnectPtr connection, const std::string& what, const LibvirtError& failure) {
    const std::string path = locked_file(failure.details());
    if (path.empty()) return failure;
    std::string user;
    try {
        user = running_user_of(connection, path);
    } catch (const LibvirtError&) {
        return failure;  // libvirt went away meanwhile: nothing is known of a holder
    }
    const std::string holder = user.empty()
                                   ? "a process that is no VM of this host: a VM of another host, or a tool such as qemu-img"
                                   : "the VM " + user + " that runs on this host";
    return Error(failure.code(), what + ": its disk " + path + " is locked by " + holder);
}

}  // namespace hvagent::libvirt
