// Limits of a volume's bandwidth and IOPS, live and for later starts.
#include "agent/operations/observe_change.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using Limit = std::optional<std::int64_t>;
using Member = std::int64_t DiskThrottle::*;

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

Volume get_throttled(Services& services, const VolumeId& id) {
    const Volume volume = services.inventory.get<Volume>(id);
    if (volume.status == VolumeStatus::deleted) throw Error(Code::operation_failed, shown(volume) + " is Deleted");
    return volume;
}

// A total excludes limits of the directions: the new wish replaces what contradicts it and leaves the rest.
void lay_over(DiskThrottle& throttle, Limit total, Limit read, Limit write, Member of_total, Member of_read, Member of_write,
              const char* what) {
    if (total && (read || write))
        refuse(std::string("a limit of the total ") + what + " excludes limits of reading and writing");
    if (total) {
        throttle.*of_total = *total;
        throttle.*of_read = throttle.*of_write = 0;
    }
    if (!read && !write) return;
    throttle.*of_total = 0;
    if (read) throttle.*of_read = *read;
    if (write) throttle.*of_write = *write;
}

// `volumeBandwidth`, the one limit of the manual, in the direction of `mode`.
SetVolumeThrottle without_shorthand(SetVolumeThrottle params) {
    const ThrottleMode mode = params.mode.value_or(ThrottleMode::total);
    Limit& meant = mode == ThrottleMode::read    ? params.read_bandwidth
                   : mode == ThrottleMode::write ? params.write_bandwidth
                                                 : params.total_bandwidth;
    if (params.bandwidth) {
        if (meant && *meant != *params.bandwidth)
            refuse("parameter 'volumeBandwidth' contradicts the bandwidth given for the same direction");
        meant = params.bandwidth;
    }
    const bool total = params.total_bandwidth || params.total_iops;
    const bool read = params.read_bandwidth || params.read_iops;
    const bool write = params.write_bandwidth || params.write_iops;
    if (!total && !read && !write) refuse("no limit is given: name a bandwidth or an IOPS limit");
    if (params.mode && ((mode != ThrottleMode::total && total) || (mode == ThrottleMode::read && write) ||
                        (mode == ThrottleMode::write && read) || (mode == ThrottleMode::total && (read || write))))
        refuse("parameter 'mode': " + std::string(to_text(mode)) + " contradicts the limits that are given");
    return params;
}

DiskThrottle apply(DiskThrottle throttle, const SetVolumeThrottle& wish) {
    const SetVolumeThrottle params = without_shorthand(wish);
    using T = DiskThrottle;
    lay_over(throttle, params.total_bandwidth, params.read_bandwidth, params.write_bandwidth, &T::total_bandwidth,
             &T::read_bandwidth, &T::write_bandwidth, "bandwidth");
    lay_over(throttle, params.total_iops, params.read_iops, params.write_iops, &T::total_iops, &T::read_iops, &T::write_iops,
             "IOPS");
    return throttle;
}

DiskThrottle lift(DiskThrottle throttle, std::optional<ThrottleMode> mode) {
    switch (mode.value_or(ThrottleMode::all)) {
        case ThrottleMode::total: throttle.total_bandwidth = throttle.total_iops = 0; return throttle;
        case ThrottleMode::read: throttle.read_bandwidth = throttle.read_iops = 0; return throttle;
        case ThrottleMode::write: throttle.write_bandwidth = throttle.write_iops = 0; return throttle;
        case ThrottleMode::all:
        case ThrottleMode::overwrite: break;
    }
    return {};
}

void throttle_live(Services& services, const Vm& vm, const Volume& volume, const DiskThrottle& throttle) {
    if (access_of(services, vm) != DiskAccess::live) return;
    try {
        services.disks.set_throttle(vm.uuid, volume.uuid, throttle);
    } catch (const Error& error) {
        // A VM that went down meanwhile takes the limits at its next start.
        if (error.code() != Code::vm_wrong_state || access_of(services, vm) == DiskAccess::live) throw;
    }
}

// The record goes last: what it says is in force.
json put_in_force(Services& services, const Volume& volume, const DiskThrottle& throttle) {
    for (const Vm& vm : users_of(services, volume)) throttle_live(services, vm, volume, throttle);
    services.inventory.modify<Volume>(volume.uuid, [&](Volume& record) { record.throttle = throttle; });
    return services.inventory.answer("Volume", volume.uuid.str());
}

// nullopt: no QEMU has the volume.
std::optional<DiskThrottle> live_throttle(Services& services, const Volume& volume) {
    for (const Vm& vm : users_of(services, volume)) {
        const auto live = services.disks.look(vm.uuid);
        if (!live) continue;
        for (const LiveDisk& disk : live->disks)
            if (disk.volume == volume.uuid) return disk.throttle;
    }
    return std::nullopt;
}

std::int64_t shown_limit(std::int64_t limit) {
    return limit > 0 ? limit : -1;
}

}  // namespace

json set_volume_throttle(Services& services, Job&, const SetVolumeThrottle& params) {
    const Volume volume = get_throttled(services, params.volume);
    return put_in_force(services, volume, apply(volume.throttle, params));
}

json delete_volume_throttle(Services& services, Job&, const DeleteVolumeThrottle& params) {
    const Volume volume = get_throttled(services, params.volume);
    return put_in_force(services, volume, lift(volume.throttle, params.mode));
}

json get_volume_throttle(Services& services, const api::Call&, const GetVolumeThrottle& params) {
    if (params.force_sync)
        if (const auto live = live_throttle(services, services.inventory.get<Volume>(params.volume)))
            observe_change<Volume>(services.inventory, params.volume, [&](Volume& record) { record.throttle = *live; });
    const DiskThrottle throttle = services.inventory.get<Volume>(params.volume).throttle;
    return {{"volumeUuid", params.volume.str()},
            {"volumeBandwidth", shown_limit(throttle.total_bandwidth)},
            {"volumeBandwidthRead", shown_limit(throttle.read_bandwidth)},
            {"volumeBandwidthWrite", shown_limit(throttle.write_bandwidth)},
            {"iopsTotal", shown_limit(throttle.total_iops)},
            {"iopsRead", shown_limit(throttle.read_iops)},
            {"iopsWrite", shown_limit(throttle.write_iops)}};
}

}  // namespace hvagent::operations
