#include "drivers/libvirt/libvirt_vm_disks.h"

#include <libvirt/virterror.h>

#include "drivers/libvirt/block_jobs.h"
#include "drivers/libvirt/device_events.h"
#include "drivers/libvirt/disk_copy.h"
#include "drivers/libvirt/disk_lookup.h"
#include "drivers/libvirt/disk_throttle.h"
#include "drivers/libvirt/guest_file_systems.h"
#include "drivers/libvirt/held_cpus.h"
#include "drivers/libvirt/new_layers.h"

namespace hvagent::libvirt {
namespace {

constexpr milliseconds look_again(500);
// A guest that was booting has missed the request: it is told again.
constexpr seconds ask_again(5);

LiveDisks look_at(virDomainPtr domain) {
    const DomainDisks found = domain_disks(live_xml(domain));
    LiveDisks live;
    for (const DomainDisk& disk : found.disks) {
        if (disk.volume.empty()) continue;
        live.disks.push_back({disk.volume, disk.target, disk.chain(), disk.throttle, block_job_kind(domain, disk.target)});
    }
    for (const DomainCdRom& drive : found.cdroms) live.cdroms.push_back({drive.device_id, drive.iso_path});
    return live;
}

// Live or in the definition, where it is missing.
void plug(virDomainPtr domain, const DiskSpec& disk, const HostProfile& host, const std::string& what) {
    const DomainDisks live = live_disks(domain, what);
    const bool in_config_too = is_persistent(domain);
    const DomainDisks config = in_config_too ? domain_disks(config_xml(domain)) : DomainDisks{};
    unsigned flags = live.find(disk.volume) ? 0u : unsigned{VIR_DOMAIN_AFFECT_LIVE};
    if (in_config_too && !config.find(disk.volume)) flags |= VIR_DOMAIN_AFFECT_CONFIG;
    if (flags == 0) return;
    DomainDisks both = live;
    both.targets.insert(both.targets.end(), config.targets.begin(), config.targets.end());
    // libvirt would add one of a model that few guests know.
    if (disk.bus == DiskBus::scsi && !live.has_scsi_controller) {
        const unsigned where = in_config_too && !config.has_scsi_controller ? flags : flags & ~VIR_DOMAIN_AFFECT_CONFIG;
        if (where & VIR_DOMAIN_AFFECT_LIVE)
            checked(virDomainAttachDeviceFlags(domain, scsi_controller_element().c_str(), where), what);
    }
    checked(virDomainAttachDeviceFlags(domain, new_disk_element(disk, both, host).c_str(), flags), what);
}

// Returns the device's alias; empty: it is gone.
std::string ask_to_let_go(virDomainPtr domain, const VolumeId& volume, bool ask, const std::string& what) {
    const DomainDisks disks = live_disks(domain, what);
    const DomainDisk* disk = disks.find(volume);
    if (!disk) return {};
    if (ask && virDomainDetachDeviceAlias(domain, disk->alias.c_str(), VIR_DOMAIN_AFFECT_LIVE) < 0) {
        const LibvirtError error = last_error(what);
        // Said of a request that is still with the guest, and of a device that went meanwhile.
        const bool pending = error.details().find("already in the process of unplug") != std::string::npos;
        if (!pending && domain_disks(live_xml(domain)).find(volume)) throw error;
    }
    return disk->alias;
}

// The call also waits for libvirt to be through with the removal: until then QEMU may have the file open.
void remove_from_config(virDomainPtr domain, const VolumeId& volume, const std::string& what) {
    if (!is_persistent(domain)) return;
    const DomainDisks config = domain_disks(config_xml(domain));
    if (const DomainDisk* disk = config.find(volume))
        checked(virDomainDetachDeviceFlags(domain, disk_name_element(*disk).c_str(), VIR_DOMAIN_AFFECT_CONFIG), what);
}

void put_medium(virDomainPtr domain, const CdRomSpec& cdrom, bool force, unsigned scope, const std::string& what) {
    const std::string xml = scope == VIR_DOMAIN_AFFECT_LIVE ? live_xml(domain) : config_xml(domain);
    const DomainDisks disks = domain_disks(xml);
    const DomainCdRom* drive = disks.find_cdrom(cdrom.device_id);
    if (!drive) throw Error(Code::not_found, what + ": it has no CD drive " + std::to_string(cdrom.device_id));
    if (drive->iso_path == cdrom.iso_path) return;
    const unsigned flags = scope | (force ? unsigned{VIR_DOMAIN_DEVICE_MODIFY_FORCE} : 0u);
    if (virDomainUpdateDeviceFlags(domain, cdrom_element(xml, drive->target, cdrom.iso_path).c_str(), flags) == 0) return;
    const LibvirtError error = last_error(what);
    if (error.details().find("tray") == std::string::npos) throw error;
    throw Error(Code::operation_failed,
                what + ": the guest keeps the tray of CD drive " + std::to_string(cdrom.device_id) + " locked; it holds " +
                    drive->iso_path,
                error);
}

}  // namespace

std::optional<LiveDisks> LibvirtVmDisks::look(const VmId& vm) {
    try {
        return calls_.poll(vm, "look at the disks", [](virDomainPtr domain, const std::string& what) {
            if (checked(virDomainIsActive(domain), what) != 1) return std::optional<LiveDisks>();
            try {
                return std::optional(look_at(domain));
            } catch (const Error&) {
                if (virDomainIsActive(domain) == 0) return std::optional<LiveDisks>();  // it has just ended
                throw;
            }
        });
    } catch (const Error& error) {
        if (error.code() == Code::not_found) return std::nullopt;
        throw;
    }
}

void LibvirtVmDisks::attach(const VmId& vm, const DiskSpec& disk) {
    calls_.change(vm, "attach volume " + disk.volume.str(),
                  [disk, profile = profile_](virDomainPtr domain, const std::string& what) {
                      plug(domain, disk, profile->profile(virDomainGetConnect(domain)), what);
                  });
}

void LibvirtVmDisks::detach(const VmId& vm, const VolumeId& volume, milliseconds patience, Cancellation& cancel) {
    const std::string action = "detach volume " + volume.str();
    DeviceEvents events(calls_, vm, cancel);
    const Moment begin = std::chrono::steady_clock::now();
    for (Moment next_request = begin;;) {
        const Moment now = std::chrono::steady_clock::now();
        const bool ask = now >= next_request;
        if (ask) next_request = now + ask_again;
        const std::string alias = calls_.change(vm, action, [volume, ask](virDomainPtr domain, const std::string& what) {
            return ask_to_let_go(domain, volume, ask, what);
        });
        if (alias.empty()) break;
        const auto waited = std::chrono::duration_cast<milliseconds>(now - begin);
        const bool refused = events.was_refused(alias);
        if (refused || waited >= patience)
            throw Error(Code::operation_failed, action + " of VM " + vm.str() + ": the guest " +
                                                    (refused ? std::string("refuses")
                                                             : "has not let go of the disk within " +
                                                                   std::to_string(patience.count() / 1000) + " s") +
                                                    "; the disk stays attached");
        cancel.check();
        events.wait(std::min(look_again, patience - waited));
    }
    calls_.change(vm, action,
                  [volume](virDomainPtr domain, const std::string& what) { remove_from_config(domain, volume, what); });
}

void LibvirtVmDisks::change_medium(const VmId& vm, const CdRomSpec& cdrom, bool force) {
    const std::string action =
        cdrom.iso_path.empty() ? "eject CD drive " + std::to_string(cdrom.device_id) : "insert " + cdrom.iso_path;
    calls_.change(vm, action, [cdrom, force](virDomainPtr domain, const std::string& what) {
        require_active(domain, what);
        put_medium(domain, cdrom, force, VIR_DOMAIN_AFFECT_LIVE, what);
        if (is_persistent(domain)) put_medium(domain, cdrom, false, VIR_DOMAIN_AFFECT_CONFIG, what);
    });
}

void LibvirtVmDisks::resize(const VmId& vm, const VolumeId& volume, Bytes size) {
    calls_.change(vm, "resize volume " + volume.str(), [volume, size](virDomainPtr domain, const std::string& what) {
        const DomainDisk disk = live_disk(domain, volume, what);
        virDomainBlockInfo info{};
        checked(virDomainGetBlockInfo(domain, disk.target.c_str(), &info, 0), what);
        const Bytes now = static_cast<Bytes>(info.capacity);
        if (size == now) return;
        if (size < now)
            throw Error(Code::invalid_argument,
                        what + ": a disk only grows; it has " + human_size(now) + ", not " + human_size(size));
        checked(virDomainBlockResize(domain, disk.target.c_str(), static_cast<unsigned long long>(size),
                                     VIR_DOMAIN_BLOCK_RESIZE_BYTES),
                what);
    });
}

void LibvirtVmDisks::set_throttle(const VmId& vm, const VolumeId& volume, const DiskThrottle& throttle) {
    calls_.change(vm, "limit volume " + volume.str(), [volume, throttle](virDomainPtr domain, const std::string& what) {
        throttle_disk(domain, live_disk(domain, volume, what).target, throttle, VIR_DOMAIN_AFFECT_LIVE, what);
        if (!is_persistent(domain)) return;
        const DomainDisks config = domain_disks(config_xml(domain));
        if (const DomainDisk* disk = config.find(volume))
            throttle_disk(domain, disk->target, throttle, VIR_DOMAIN_AFFECT_CONFIG, what);
    });
}

bool LibvirtVmDisks::freeze_layers(const VmId& vm, const std::vector<NewLayer>& layers) {
    return NewLayers(calls_, images_).open(vm, layers);
}

void LibvirtVmDisks::pull(const VmId& vm, const VolumeId& volume, const std::string& base, const BlockJobLimits& limits,
                          const ProgressPercent& progress, Cancellation& cancel) {
    pull_layers(calls_, {vm, volume, base, limits}, progress, cancel);
}

bool LibvirtVmDisks::copy(const VmId& vm, const std::vector<DiskCopy>& copies, const BlockJobLimits& limits,
                          const ProgressPercent& progress, Cancellation& cancel) {
    return DisksCopy(calls_, vm, copies, limits).run(progress, cancel);
}

void LibvirtVmDisks::abort_block_job(const VmId& vm, const VolumeId& volume) {
    abort_block_job_of(calls_, vm, volume);
}

void LibvirtVmDisks::let_go(const VmId& vm) {
    try {
        calls_.change(vm, "let go of the guest", [](virDomainPtr domain, const std::string& what) {
            if (!release_held_cpus(domain)) throw Error(Code::operation_failed, what + ": its CPUs are still stopped");
            thaw_marked_file_systems(domain, what);
        });
    } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;  // not defined any more
    }
}

}  // namespace hvagent::libvirt
