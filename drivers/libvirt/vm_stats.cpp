#include "drivers/libvirt/vm_stats.h"

#include <algorithm>
#include <future>

#include "drivers/libvirt/vm_stats_record.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

// Known to libvirt and the kernel: no QEMU is asked.
constexpr unsigned quiet_groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE;
constexpr unsigned quick_groups = quiet_groups | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BLOCK;
constexpr unsigned all_groups = quick_groups | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU;
// One for each frozen QEMU; libvirtd has about 20 threads for all its clients.
constexpr std::size_t most_hanging = 4;
// libvirt asks one QEMU after the other and waits for each: calls side by side wait side by side.
constexpr std::size_t most_slices = 4;
constexpr std::size_t worth_a_slice = 8;  // VMs
constexpr const char* call_name = "read the figures of all VMs";
constexpr milliseconds least_patience{150};
constexpr milliseconds most_patience{5000};  // 200 VMs take a second
constexpr milliseconds first_guess{1000};
constexpr milliseconds quiet_patience{3000};
constexpr milliseconds silent_after{100};  // an answer of QEMU takes a few milliseconds

// Nothing when the VM was undefined since it was listed.
auto if_there(const auto& ask) -> decltype(ask()) {
    try {
        return ask();
    } catch (const LibvirtError& error) {
        if (error.code() != Code::not_found) throw;
        return std::nullopt;
    }
}

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

std::vector<VmId> active_vms(Session& session, OwnedDomains& owned) {
    std::vector<VmId> vms;
    for (const Domain& domain : list_domains(session.connection(), VIR_CONNECT_LIST_DOMAINS_ACTIVE))
        if (const auto vm = if_there([&] { return owned.owner_of(domain.get()); })) vms.push_back(*vm);
    return vms;
}

std::vector<VmStats> read(Session& session, const std::vector<VmId>& vms, unsigned groups, OwnedDomains& owned) {
    std::vector<SharedDomain> domains;
    std::vector<virDomainPtr> handles;
    for (const VmId& vm : vms)
        if (const auto domain = if_there([&] { return std::optional(session.domain(vm)); })) domains.push_back(*domain);
    if (domains.empty()) return {};
    for (const SharedDomain& domain : domains) handles.push_back(domain.get());
    handles.push_back(nullptr);
    virDomainStatsRecordPtr* raw = nullptr;
    const int count =
        checked(virDomainListGetStats(handles.data(), groups, &raw, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT), call_name);
    const StatsList records(raw);
    std::vector<VmStats> all;
    all.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const auto vm = if_there([&] { return owned.owner_of(raw[i]->dom); });
        if (!vm) continue;
        VmStats& stats = all.emplace_back(read_stats(*vm, raw[i]->params, raw[i]->nparams));
        if (was_passed_by(stats, groups)) look_at_monitor(raw[i]->dom, stats);
    }
    return all;
}

// Each about every n-th VM.
std::vector<std::vector<VmId>> slices_of(const std::vector<VmId>& vms) {
    std::vector<std::vector<VmId>> slices(std::clamp<std::size_t>(vms.size() / worth_a_slice, 1, most_slices));
    for (std::size_t i = 0; i < vms.size(); ++i) slices[i % slices.size()].push_back(vms[i]);
    return slices;
}

}  // namespace

LibvirtVmStats::LibvirtVmStats(CallRunner& runner, std::shared_ptr<OwnedDomains> owned)
    : runner_(runner), owned_(std::move(owned)), usual_us_(std::chrono::microseconds(first_guess).count()) {}

milliseconds LibvirtVmStats::patience() const {
    const auto wanted = std::chrono::duration_cast<milliseconds>(2 * std::chrono::microseconds(usual_us_));
    return std::clamp(wanted, least_patience, most_patience);
}

std::size_t LibvirtVmStats::hanging() {
    const std::lock_guard lock(mutex_);
    std::erase_if(left_, [](const std::weak_ptr<void>& call) { return call.expired(); });
    return left_.size();
}

std::vector<VmStats> LibvirtVmStats::ask(const std::vector<VmId>& vms, unsigned groups, milliseconds patience) {
    auto alive = std::make_shared<char>();  // as long as the call is
    const std::weak_ptr<void> call = alive;
    try {
        return runner_.run({call_name, VmId(), false, true}, patience,
                           [vms, groups, alive = std::move(alive), owned = owned_](Session& session) {
                               return read(session, vms, groups, *owned);
                           });
    } catch (const Error& error) {
        const std::lock_guard lock(mutex_);
        if (error.code() == Code::timeout) left_.push_back(call);
        throw;
    }
}

std::vector<VmStats> LibvirtVmStats::stats() {
    return collect(all_groups);
}

std::vector<VmStats> LibvirtVmStats::quick_stats() {
    return collect(quick_groups);
}

std::vector<VmStats> LibvirtVmStats::collect(unsigned groups) {
    if (const std::size_t calls = hanging(); calls > most_hanging)
        throw Error(Code::timeout, "the figures of all VMs were not asked for: libvirt has not answered " +
                                       std::to_string(calls) + " earlier calls");
    const auto vms = runner_.run({"list the VMs that run", VmId(), false, true}, quiet_patience,
                                 [owned = owned_](Session& session) { return active_vms(session, *owned); });
    std::vector<std::future<std::vector<VmStats>>> slices;
    for (std::vector<VmId>& slice : slices_of(vms))
        slices.push_back(std::async(std::launch::async,
                                    [this, slice = std::move(slice), groups] { return collect_slice(slice, groups); }));
    std::vector<VmStats> all;
    for (auto& slice : slices)
        for (VmStats& vm : slice.get()) all.push_back(std::move(vm));
    return all;
}

std::vector<VmStats> LibvirtVmStats::collect_slice(const std::vector<VmId>& vms, unsigned groups) {
    while (hanging() < most_hanging) {
        const Moment began = std::chrono::steady_clock::now();
        try {
            std::vector<VmStats> all = ask(vms, groups, patience());
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
    return ask(vms, quiet_groups, quiet_patience);
}

}  // namespace hvagent::libvirt
