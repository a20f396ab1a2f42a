#include "drivers/libvirt/block_jobs.h"

#include "drivers/libvirt/held_cpus.h"

namespace hvagent::libvirt {
namespace {

constexpr seconds longest_silence(120);
// A libvirt that has just come back finds its VMs one after the other.
constexpr seconds longest_recovery(10);

const char* kind_name(int type) {
    switch (type) {
        case VIR_DOMAIN_BLOCK_JOB_TYPE_PULL: return "pull";
        case VIR_DOMAIN_BLOCK_JOB_TYPE_COPY: return "copy";
        default: return "commit";
    }
}

}  // namespace

BlockJob block_job(virDomainPtr domain, const std::string& target) {
    virDomainBlockJobInfo info{};
    const int found = virDomainGetBlockJobInfo(domain, target.c_str(), &info, 0);
    if (found == 0) return {};
    if (found < 0) {
        const std::string what = "look at the block job of " + target;
        const LibvirtError error = last_error(what);
        require_active(domain, what);  // says it better
        throw error;
    }
    return {kind_name(info.type), static_cast<Bytes>(info.cur), static_cast<Bytes>(info.end)};
}

std::string block_job_kind(virDomainPtr domain, const std::string& target) {
    return block_job(domain, target).kind;
}

void abort_block_job(virDomainPtr domain, const std::string& target, const std::string& what) {
    if (block_job_kind(domain, target).empty() || virDomainBlockJobAbort(domain, target.c_str(), 0) == 0) return;
    const LibvirtError error = last_error(what);
    // It may have ended by itself.
    if (!block_job_kind(domain, target).empty()) throw error;
}

void abort_block_job_of(const DomainCalls& calls, const VmId& vm, const VolumeId& volume) {
    calls.change(vm, "end the block job of volume " + volume.str(), [volume](virDomainPtr domain, const std::string& what) {
        const std::string target = live_disk(domain, volume, what).target;
        release_held_cpus(domain);
        abort_block_job(domain, target, what);
    });
}

void SilenceOfLibvirt::endure(const Error& error) {
    const Moment now = std::chrono::steady_clock::now();
    if (!since_) since_ = now;
    if (error.code() == Code::host_connection || error.code() == Code::timeout) {
        last_lost_ = now;
        if (now - *since_ > longest_silence) throw;
        return;
    }
    const bool may_recover = error.code() == Code::not_found || error.code() == Code::vm_wrong_state;
    if (!may_recover || !last_lost_ || now - *last_lost_ > longest_recovery) throw;
}

}  // namespace hvagent::libvirt
