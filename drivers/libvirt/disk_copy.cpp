#include "drivers/libvirt/disk_copy.h"

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "drivers/libvirt/guest_file_systems.h"
#include "drivers/libvirt/held_cpus.h"
#include "drivers/libvirt/storage_room.h"
#include "drivers/libvirt/typed_params.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr milliseconds look_again(500);

std::string target_xml(const std::string& path) {
    pugi::xml_document document;
    pugi::xml_node disk = xml::with(document.append_child("disk"), "type", "file");
    xml::with(xml::with(disk.append_child("driver"), "name", "qemu"), "type", "qcow2");
    xml::with(disk.append_child("source"), "file", xml::checked_name(path, "the path of a copy"));
    std::ostringstream text;
    document.save(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

void start(virDomainPtr domain, const std::string& target, const std::string& path, Bytes bandwidth,
           const std::string& what) {
    TypedParams params;
    if (bandwidth > 0) params.add(VIR_DOMAIN_BLOCK_COPY_BANDWIDTH, static_cast<unsigned long long>(bandwidth));
    // libvirt accepts these jobs for defined VMs only when told that they may be lost.
    checked(virDomainBlockCopy(domain, target.c_str(), target_xml(path).c_str(), params.get(), params.count(),
                               VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB),
            what);
}

// While the guest writes nothing: ends each mirror, which first takes over what is still on its way.
void end_mirrors(virDomainPtr domain, const std::vector<std::string>& targets, const std::string& what) {
    for (const std::string& target : targets) {
        const DomainDisks disks = live_disks(domain, what);
        const bool alike = std::any_of(disks.disks.begin(), disks.disks.end(),
                                       [&](const DomainDisk& disk) { return disk.target == target && disk.mirror_ready; });
        if (!alike) throw Error(Code::io_failed, what + ": the copy of " + target + " ended early");
        checked(virDomainBlockJobAbort(domain, target.c_str(), 0), what);
    }
}

}  // namespace

void DisksCopy::begin() {
    targets_ = calls_.change(vm_, "copy the disks", [copies = copies_](virDomainPtr domain, const std::string& what) {
        std::vector<std::string> targets;
        bool left_over = false;
        for (const DiskCopy& copy : copies) {
            targets.push_back(live_disk(domain, copy.volume, what).target);
            left_over = left_over || !block_job_kind(domain, targets.back()).empty();
            abort_block_job(domain, targets.back(), what);
        }
        // An earlier life of the daemon may have ended in the quiet moment.
        release_held_cpus(domain);
        if (left_over) prepare_guest_agent(domain);
        return targets;
    });
    for (std::size_t i = 0; i < copies_.size(); ++i) {
        calls_.change(vm_, "copy volume " + copies_[i].volume.str(),
                      [target = targets_[i], path = copies_[i].target, bandwidth = limits_.bandwidth](
                          virDomainPtr domain, const std::string& what) { start(domain, target, path, bandwidth, what); });
    }
}

DisksCopy::Sight DisksCopy::look() {
    return calls_.poll(
        vm_, "look at the copies", [targets = targets_, copies = copies_](virDomainPtr domain, const std::string& what) {
            Sight seen;
            for (std::size_t i = 0; i < targets.size(); ++i) {
                const BlockJob job = block_job(domain, targets[i]);
                if (job.kind != "copy")
                    throw Error(code_of_failed_write(copies[i].target),
                                what + ": QEMU could not finish the copy of " + targets[i] + " to " + copies[i].target);
                seen.done += job.done;
                seen.total += job.total;
            }
            for (const DomainDisk& disk : live_disks(domain, what).disks)
                if (std::find(targets.begin(), targets.end(), disk.target) != targets.end())
                    seen.all_alike = seen.all_alike && disk.mirror_ready;
            return seen;
        });
}

void DisksCopy::wait_until_alike(DeviceEvents& events, const ProgressPercent& progress, Cancellation& cancel) {
    SilenceOfLibvirt silence;
    while (true) {
        cancel.check();
        try {
            const Sight sight = look();
            silence.answered();
            if (sight.all_alike) return;
            if (progress && sight.total > 0) progress(static_cast<int>(std::min<Bytes>(99, sight.done * 100 / sight.total)));
        } catch (const Error& error) {
            silence.endure(error);
        }
        events.wait(look_again);
    }
}

// One call, which goes on to its end even when its caller has left: no guest stays held.
bool DisksCopy::let_go_together() {
    return calls_.change(vm_, "let go of the copies", [targets = targets_](virDomainPtr domain, const std::string& what) {
        // What is on its way must not wait for a bandwidth now.
        for (const std::string& target : targets) virDomainBlockJobSetSpeed(domain, target.c_str(), 0, 0);
        const QuietFileSystems file_systems(domain);
        // Not all that a guest writes goes through file systems.
        const HeldCpus cpus(domain);
        end_mirrors(domain, targets, what);
        return file_systems.are_quiet();
    });
}

void DisksCopy::check_result(const DeviceEvents& events) {
    for (std::size_t i = 0; i < targets_.size(); ++i)
        if (events.job_failed(targets_[i]))
            throw Error(code_of_failed_write(copies_[i].target), "copy the disks of VM " + vm_.str() +
                                                                     ": QEMU could not finish the copy of " + targets_[i] +
                                                                     " to " + copies_[i].target);
}

void DisksCopy::abort_all() {
    for (const DiskCopy& copy : copies_) {
        try {
            abort_block_job_of(calls_, vm_, copy.volume);
        } catch (const Error& error) {
            if (error.code() == Code::vm_wrong_state || error.code() == Code::not_found) continue;
            log::warning("a copy of a disk could not be ended",
                         {{"vm", vm_.str()}, {"volume", copy.volume.str()}, {"error", error.details()}});
        }
    }
}

bool DisksCopy::run(const ProgressPercent& progress, Cancellation& cancel) {
    cancel.check();
    DeviceEvents events(calls_, vm_, cancel);
    try {
        begin();
        wait_until_alike(events, progress, cancel);
        const bool quiet = let_go_together();
        check_result(events);
        if (progress) progress(100);
        return quiet;
    } catch (const Error&) {
        abort_all();
        throw;
    }
}

}  // namespace hvagent::libvirt
