// What reads the XML of domains; libvirt made it, a user may have edited it.
#include "drivers/libvirt/domain_xml/domain_disks.h"
#include "drivers/libvirt/domain_xml/live_definition.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string xml = text_of(data, size);
    judge([&] {
        const libvirt::DomainDisks found = libvirt::domain_disks(xml);
        for (const libvirt::DomainDisk& disk : found.disks) {
            disk.chain();
            libvirt::disk_name_element(disk);
        }
        for (const libvirt::DomainCdRom& drive : found.cdroms) libvirt::cdrom_element(xml, drive.target, "/iso");
    });
    judge([&] { libvirt::guest_agent_connected(xml); });
    judge([&] { libvirt::live_memory(xml); });
    return 0;
}
