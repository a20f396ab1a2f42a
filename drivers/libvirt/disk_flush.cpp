#include "drivers/libvirt/disk_flush.h"

#include <libvirt/libvirt-qemu.h>

#include "drivers/libvirt/disk_lookup.h"

namespace hvagent::libvirt {

void flush_disk(const DomainCalls& calls, const VmId& vm, const VolumeId& volume) {
    calls.change(vm, "flush a disk", [volume](virDomainPtr domain, const std::string& what) {
        const DomainDisk disk = live_disk(domain, volume, what);
        if (disk.layers.empty() || disk.layers.front().index == 0)
            throw Error(Code::internal, what + ": libvirt does not number the layers of " + disk.target);
        // libvirt has no call for it, and the name of a node is what libvirt makes of the layer's number.
        const std::string command = "qemu-io libvirt-" + std::to_string(disk.layers.front().index) + "-format \"flush\"";
        char* said = nullptr;
        checked(virDomainQemuMonitorCommand(domain, command.c_str(), &said, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP), what);
        const Text answer(said);
        if (answer && *answer) throw Error(Code::io_failed, what + ": " + answer.get());
    });
}

}  // namespace hvagent::libvirt
