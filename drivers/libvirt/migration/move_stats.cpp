#include "drivers/libvirt/migration/move_stats.h"

#include <libvirt/virterror.h>

namespace hvagent::libvirt {

Bytes MoveStats::number(const char* name) const {
    unsigned long long value = 0;
    return virTypedParamsGetULLong(params_, count_, name, &value) == 1 ? static_cast<Bytes>(value) : 0;
}

int MoveStats::small(const char* name) const {
    int value = 0;
    return virTypedParamsGetInt(params_, count_, name, &value) == 1 ? value : 0;
}

bool MoveStats::is_outgoing() const {
    return small(VIR_DOMAIN_JOB_OPERATION) == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
}

MigrationSight MoveStats::sight() const {
    MigrationSight seen;
    seen.elapsed = milliseconds(number(VIR_DOMAIN_JOB_TIME_ELAPSED));
    seen.disk_total = number(VIR_DOMAIN_JOB_DISK_TOTAL);
    seen.disk_done = number(VIR_DOMAIN_JOB_DISK_PROCESSED);
    seen.memory_total = number(VIR_DOMAIN_JOB_MEMORY_TOTAL);
    seen.memory_done = number(VIR_DOMAIN_JOB_MEMORY_PROCESSED);
    seen.memory_remaining = number(VIR_DOMAIN_JOB_MEMORY_REMAINING);
    // libvirt leaves the rate out, or gives 0, until it has measured.
    seen.bytes_per_second = number(VIR_DOMAIN_JOB_MEMORY_BPS);
    const Bytes page = number(VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE);
    seen.dirtied_per_second = number(VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE) * (page > 0 ? page : 4 * KiB);
    seen.iteration = static_cast<int>(number(VIR_DOMAIN_JOB_MEMORY_ITERATION));
    seen.expected_downtime = milliseconds(number(VIR_DOMAIN_JOB_DOWNTIME));
    seen.throttle_percent = small(VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE);
    if (seen.iteration > 0 || seen.memory_done > 0)
        seen.phase = MigrationPhase::copying_memory;
    else if (seen.disk_total > 0)
        seen.phase = MigrationPhase::copying_disks;
    return seen;
}

MigrationResult MoveStats::result() const {
    MigrationResult counted;
    counted.total = milliseconds(number(VIR_DOMAIN_JOB_TIME_ELAPSED));
    counted.downtime = milliseconds(number(VIR_DOMAIN_JOB_DOWNTIME));
    counted.transferred = number(VIR_DOMAIN_JOB_DATA_PROCESSED);
    counted.iterations = static_cast<int>(number(VIR_DOMAIN_JOB_MEMORY_ITERATION));
    return counted;
}

JobNow job_now(virDomainPtr domain, const std::string& what) {
    struct Params {
        virTypedParameterPtr list = nullptr;
        int count = 0;
        ~Params() { virTypedParamsFree(list, count); }
    } params;
    int type = VIR_DOMAIN_JOB_NONE;
    if (virDomainGetJobStats(domain, &type, &params.list, &params.count, 0) < 0) {
        const LibvirtError error = last_error(what);
        // "migration statistics are available only on the source host"
        if (error.number() == VIR_ERR_OPERATION_UNSUPPORTED) return {JobNow::Kind::moves_in, {}};
        if (error.number() == VIR_ERR_OPERATION_INVALID) return {};  // the VM is off
        if (error.number() == VIR_ERR_NO_SUPPORT) return {};         // libvirt's test driver, which moves nothing
        throw error;
    }
    if (type == VIR_DOMAIN_JOB_NONE) return {};
    const MoveStats stats(params.list, params.count);
    if (!stats.is_outgoing()) return {JobNow::Kind::other, {}};
    return {JobNow::Kind::moves_out, stats.sight()};
}

}  // namespace hvagent::libvirt
