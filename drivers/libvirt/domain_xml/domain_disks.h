// The disks and CD drives in the XML of a defined or running domain, and changes of their elements.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/drivers/vm_disks.h"

namespace hvagent::libvirt {

struct DomainLayer {
    std::string path;
    int index = 0;  // libvirt's number of a live layer ("vda[3]"); 0: none
};

struct DomainDisk {
    VolumeId volume;  // empty: a disk without our serial
    std::string target;
    std::string bus;
    std::string format;               // of the active layer
    std::string alias;                // of a live device
    std::vector<DomainLayer> layers;  // the active one first
    DiskThrottle throttle;
    std::string mirror_job;  // "copy", "active-commit"; empty: no mirror
    bool mirror_ready = false;

    std::vector<std::string> chain() const;
};

struct DomainCdRom {
    int device_id = 0;
    std::string target;
    std::string iso_path;  // empty: no medium
};

struct DomainDisks {
    std::vector<DomainDisk> disks;
    std::vector<DomainCdRom> cdroms;
    std::vector<std::string> targets;  // of all, also those that are not ours
    std::string machine;               // "pc-q35-7.2"
    bool has_scsi_controller = false;

    const DomainDisk* find(const VolumeId& volume) const;
    const DomainCdRom* find_cdrom(int device_id) const;
};

DomainDisks domain_disks(const std::string& domain_xml);

// The element of a disk as domain_xml() writes it, for a machine that runs already; its name is the one that belongs to the
// device id, or the next that is free.
std::string new_disk_element(const DiskSpec& disk, const DomainDisks& present, const HostProfile& host);
// Only what libvirt finds a disk by.
std::string disk_name_element(const DomainDisk& disk);
std::string scsi_controller_element();
// The drive's element of this XML with another medium; empty: none.
std::string cdrom_element(const std::string& domain_xml, const std::string& target, const std::string& iso_path);

}  // namespace hvagent::libvirt
