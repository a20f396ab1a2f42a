#include "drivers/libvirt/vm_stats.h"

#include <algorithm>

#include "drivers/libvirt/vm_stats_record.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

// Known to libvirt and the kernel: no QEMU is asked.
constexpr unsigned quiet_groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE;
constexpr unsigned quick_groups = quiet_groups | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BLOCK;
constexpr unsigned all_groups = quick_groups | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU;
// One for each frozen QEMU; libvirtd has about 20 threads for all its clients.
constexpr int most_hanging = 4;
constexpr milliseconds least_patience{150};
constexpr milliseconds most_patience{5000};  // 200 VMs take a second
constexpr milliseconds first_guess{1000};
constexpr milliseconds quiet_patience{3000};
constexpr milliseconds silent_after{100};  // an answer of QEMU takes a few milliseconds

// Whether QEMU has had a command before it for a while. Asks libvirt only.
void look_at_monitor(virDomainPtr domain, VmStats& stats) {
    virDomainControlInfo info{};
    if (virDomainGetControlInfo(domain, &info, 0) < 0) return;  // it ended meanwhile
    if (info.state == VIR_DOMAIN_CONTROL_ERROR) stats.qemu_responds = false;
    if (info.state != VIR_DOMAIN_CONTROL_OCCUPIED) return;
    stats.qemu_silent_for = milliseconds(info.stateTime);
    stats.qemu_responds = stats.qemu_silent_for < silent_after;
}

// Told only with the VM's job in hand: the memory of QEMU, and what its disks did.
bool was_passed_by(const VmStats& stats, unsigned groups) {
    if (!stats.active) return false;
    if ((groups & VIR_DOMAIN_STATS_BALLOON) != 0) return !stats.rss;
    return std::none_of(stats.disks.begin(), stats.disks.end(),
                        [](const VmDiskStats& disk) { return disk.read.has_value(); });
}

std::vector<VmStats> read_all(virConnectPtr connection, unsigned groups, OwnedDomains& owned) {
    virDomainStatsRecordPtr* raw = nullptr;
    const int count =
        checked(virConnectGetAllDomainStats(connection, groups, &raw, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT),
                "read the figures of all VMs");
    const StatsList records(raw);
    std::vector<VmStats> all;
    all.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        try {
            const auto vm = owned.owner_of(raw[i]->dom);
            if (!vm) continue;
            VmStats stats = read_stats(*vm, raw[i]->params, raw[i]->nparams);
            if (was_passed_by(stats, groups)) look_at_monitor(raw[i]->dom, stats);
            all.push_back(std::move(stats));
        } catch (const LibvirtError& error) {
            if (error.code() != Code::not_found) throw;  // undefined since the list was made
        }
    }
    return all;
}

}  // namespace

LibvirtVmStats::LibvirtVmStats(CallRunner& runner, std::shared_ptr<OwnedDomains> owned)
    : runner_(runner),
      owned_(std::move(owned)),
      under_way_(std::make_shared<std::atomic<int>>(0)),
      usual_us_(std::chrono::microseconds(first_guess).count()) {}

milliseconds LibvirtVmStats::patience() const {
    const auto wanted = std::chrono::duration_cast<milliseconds>(2 * std::chrono::microseconds(usual_us_));
    return std::clamp(wanted, least_patience, most_patience);
}

std::vector<VmStats> LibvirtVmStats::ask(unsigned groups, milliseconds patience) {
    // Given back by whichever lives longer, the call or its caller.
    const std::shared_ptr<void> one(nullptr, [count = under_way_](void*) { --*count; });
    ++*under_way_;
    return runner_.run(
        {"read the figures of all VMs", VmId(), false, true}, patience,
        [groups, one, owned = owned_](Session& session) { return read_all(session.connection(), groups, *owned); });
}

std::vector<VmStats> LibvirtVmStats::stats() {
    return collect(all_groups);
}

std::vector<VmStats> LibvirtVmStats::quick_stats() {
    return collect(quick_groups);
}

std::vector<VmStats> LibvirtVmStats::collect(unsigned groups) {
    if (*under_way_ > most_hanging)
        throw Error(Code::timeout, "the figures of all VMs were not asked for: libvirt has not answered " +
                                       std::to_string(*under_way_) + " earlier calls");
    while (*under_way_ < most_hanging) {
        const Moment began = std::chrono::steady_clock::now();
        try {
            std::vector<VmStats> all = ask(groups, patience());
            usual_us_ =
                std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count();
            return all;
        } catch (const Error& error) {
            if (error.code() != Code::timeout) throw;
            usual_us_ = std::min<std::int64_t>(usual_us_ * 2, std::chrono::microseconds(most_patience).count());
            log::debug("figures of VMs asked for again", {{"error", error.details()}});
        }
    }
    // Each further QEMU that hangs would cost a thread of libvirtd: what it knows by itself must do.
    return ask(quiet_groups, quiet_patience);
}

}  // namespace hvagent::libvirt
