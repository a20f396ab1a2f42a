// QEMU's background work on a disk: pull, copy, commit.
#pragma once
#include <optional>
#include <string>

#include "drivers/libvirt/disk_lookup.h"
#include "hvagent/drivers/vm_disks.h"

namespace hvagent::libvirt {

struct BlockJob {
    std::string kind;  // "pull", "copy", "commit"; empty: none
    Bytes done = 0;
    Bytes total = 0;
};

// Inside a call.
BlockJob block_job(virDomainPtr domain, const std::string& target);
std::string block_job_kind(virDomainPtr domain, const std::string& target);
// Ends the job of a disk, if there is one, without changing what the guest's disk lies on.
void abort_block_job(virDomainPtr domain, const std::string& target, const std::string& what);

// A call of its own.
void abort_block_job_of(const DomainCalls& calls, const VmId& vm, const VolumeId& volume);

// Whether a wait that asks libvirt again and again goes on after this failure: a libvirt that is silent or restarts is
// waited for, since block jobs live on in QEMU.
class SilenceOfLibvirt {
public:
    void answered() { since_.reset(); }
    // Inside a catch: rethrows when it is none of those, or has lasted too long.
    void endure(const Error& error);

private:
    std::optional<Moment> since_;
    std::optional<Moment> last_lost_;
};

struct PullOrder {
    VmId vm;
    VolumeId volume;
    std::string base;
    BlockJobLimits limits;
};
// See VmDisks::pull(). A job that is there already is ended first: nobody knows its aim, and what it has copied stays.
void pull_layers(const DomainCalls& calls, const PullOrder& order, const ProgressPercent& progress, Cancellation& cancel);

}  // namespace hvagent::libvirt
