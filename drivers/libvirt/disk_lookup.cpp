#include "drivers/libvirt/disk_lookup.h"

namespace hvagent::libvirt {
namespace {

DomainDisk disk_in(const DomainDisks& disks, const VolumeId& volume, const std::string& what) {
    if (const DomainDisk* disk = disks.find(volume)) return *disk;
    std::string names;
    for (const DomainDisk& disk : disks.disks) names += (names.empty() ? "" : ", ") + disk.volume.str();
    throw Error(Code::not_found,
                what + ": it has no disk of volume " + volume.str() + ", only of " + (names.empty() ? "none" : names));
}

}  // namespace

DomainDisks live_disks(virDomainPtr domain, const std::string& what) {
    require_active(domain, what);
    return domain_disks(live_xml(domain));
}

DomainDisk live_disk(virDomainPtr domain, const VolumeId& volume, const std::string& what) {
    return disk_in(live_disks(domain, what), volume, what);
}

DomainDisks live_disks_of(const DomainCalls& calls, const VmId& vm) {
    return calls.read(vm, "look at the disks",
                      [](virDomainPtr domain, const std::string& what) { return live_disks(domain, what); });
}

DomainDisk live_disk_of(const DomainCalls& calls, const VmId& vm, const VolumeId& volume) {
    return disk_in(live_disks_of(calls, vm), volume, "look at the disks of VM " + vm.str());
}

}  // namespace hvagent::libvirt
