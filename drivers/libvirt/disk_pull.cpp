// Data of lower layers into the active one.
#include <algorithm>

#include "drivers/libvirt/block_jobs.h"
#include "drivers/libvirt/device_events.h"
#include "drivers/libvirt/disk_flush.h"
#include "drivers/libvirt/storage_room.h"

namespace hvagent::libvirt {
namespace {

constexpr milliseconds look_again(500);

bool lies_on(const DomainDisk& disk, const std::string& base) {
    if (base.empty()) return disk.layers.size() == 1;
    return disk.layers.size() > 1 && disk.layers[1].path == base;
}

// How libvirt wants the base named: by number, which holds whatever the file is called.
std::string name_of_layer(const DomainDisk& disk, const std::string& path, const std::string& what) {
    for (std::size_t i = 1; i < disk.layers.size(); ++i)
        if (disk.layers[i].path == path)
            return disk.layers[i].index > 0 ? disk.target + "[" + std::to_string(disk.layers[i].index) + "]" : path;
    throw Error(Code::invalid_argument, what + ": " + path + " is no layer below its active one");
}

// False: there is nothing to do.
bool start(virDomainPtr domain, const PullOrder& order, const std::string& what) {
    abort_block_job(domain, live_disk(domain, order.volume, what).target, what);
    const DomainDisk disk = live_disk(domain, order.volume, what);
    if (lies_on(disk, order.base)) return false;
    const std::string base = order.base.empty() ? "" : name_of_layer(disk, order.base, what);
    checked(
        virDomainBlockRebase(domain, disk.target.c_str(), base.empty() ? nullptr : base.c_str(),
                             static_cast<unsigned long>(order.limits.bandwidth), VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES),
        what);
    return true;
}

// The job and the disk, seen together.
struct Sight {
    BlockJob job;
    DomainDisk disk;
};

Sight look(const DomainCalls& calls, const PullOrder& order) {
    return calls.poll(order.vm, "look at the pull", [volume = order.volume](virDomainPtr domain, const std::string& what) {
        Sight sight;
        // In this order: the chain that is read after the job's end is the final one.
        sight.job = block_job(domain, live_disk(domain, volume, what).target);
        sight.disk = live_disk(domain, volume, what);
        return sight;
    });
}

DomainDisk wait_for_end(const DomainCalls& calls, const PullOrder& order, DeviceEvents& events,
                        const ProgressPercent& progress, Cancellation& cancel) {
    SilenceOfLibvirt silence;
    while (true) {
        try {
            const Sight sight = look(calls, order);
            silence.answered();
            if (sight.job.kind.empty()) return sight.disk;
            if (progress && sight.job.total > 0)
                progress(static_cast<int>(std::min<Bytes>(99, sight.job.done * 100 / sight.job.total)));
        } catch (const Error& error) {
            silence.endure(error);
        }
        cancel.check();
        events.wait(look_again);
    }
}

// After a wish to stop: the disk as the job has left it.
DomainDisk give_up(const DomainCalls& calls, const PullOrder& order, const Error& cancelled) {
    try {
        abort_block_job_of(calls, order.vm, order.volume);
        return live_disk_of(calls, order.vm, order.volume);
    } catch (const Error& error) {
        throw Error(Code::job_cancelled, cancelled.details() + "; QEMU could not be told: " + error.details(), error);
    }
}

}  // namespace

void pull_layers(const DomainCalls& calls, const PullOrder& order, const ProgressPercent& progress, Cancellation& cancel) {
    const std::string action = "merge layers of volume " + order.volume.str();
    cancel.check();
    DeviceEvents events(calls, order.vm, cancel);
    const bool started = calls.change(
        order.vm, action, [order](virDomainPtr domain, const std::string& what) { return start(domain, order, what); });
    if (started) {
        DomainDisk disk;
        try {
            disk = wait_for_end(calls, order, events, progress, cancel);
        } catch (const Error& error) {
            if (error.code() != Code::job_cancelled) throw;
            disk = give_up(calls, order, error);
            // It may have been through before.
            if (!lies_on(disk, order.base)) throw;
        }
        if (!lies_on(disk, order.base))
            throw Error(code_of_failed_write(disk.chain().front()),
                        action + " of VM " + order.vm.str() + ": QEMU " +
                            (events.job_failed(disk.target) ? "failed" : "ended the job early") +
                            "; the disk lies where it lay, on " +
                            (disk.layers.size() > 1 ? disk.layers[1].path : "nothing"));
    }
    // Also when there was nothing to do: an earlier life may have died before this.
    flush_disk(calls, order.vm, order.volume);
    if (progress) progress(100);
}

}  // namespace hvagent::libvirt
