#include "drivers/libvirt/libvirt_host.h"

#include "drivers/libvirt/guest_sight.h"
#include "drivers/libvirt/libvirt_host_inspector.h"
#include "drivers/libvirt/libvirt_virtual_networks.h"
#include "drivers/libvirt/libvirt_vm_definitions.h"
#include "drivers/libvirt/libvirt_vm_disks.h"
#include "drivers/libvirt/libvirt_vm_observer.h"
#include "drivers/libvirt/libvirt_vm_power.h"
#include "drivers/libvirt/migration/libvirt_vm_migration.h"
#include "drivers/libvirt/vm_stats.h"

namespace hvagent::libvirt {
namespace {

CallTimeouts timeouts_of(const LibvirtSettings& settings) {
    return {settings.call_timeout, settings.destroy_timeout, settings.query_timeout};
}

CallLimits work_limits(const LibvirtSettings& settings) {
    CallLimits limits;
    limits.connections = settings.work_connections;
    limits.connect_wait = settings.connect_wait;
    return limits;
}

CallLimits query_limits(const LibvirtSettings& settings) {
    CallLimits limits = work_limits(settings);
    limits.connections = 2;
    return limits;
}

// Side by side, and beside those that hang.
CallLimits figure_limits(const LibvirtSettings& settings) {
    CallLimits limits = query_limits(settings);
    limits.connections = 3;
    return limits;
}

// For the text of a call that was not answered: is it QEMU that is silent, or libvirt?
std::string qemu_silence(CallRunner& queries, const VmId& vm) {
    try {
        return queries.run({"look at the monitor of", vm, true}, milliseconds(500), [vm](Session& session) -> std::string {
            virDomainControlInfo info{};
            if (virDomainGetControlInfo(session.domain(vm).get(), &info, 0) < 0 || info.state != VIR_DOMAIN_CONTROL_OCCUPIED)
                return "";
            return "QEMU of this VM has not answered libvirt for " + std::to_string(info.stateTime / 1000) + " s";
        });
    } catch (const Error&) {
        return "";
    }
}

}  // namespace

struct LibvirtHost::Parts {
    Parts(const LibvirtSettings& settings, const Clock& clock, DiskImages& images)
        : source(std::make_shared<ConnectionSource>(settings.uri)),
          owned(std::make_shared<OwnedDomains>()),
          profile(std::make_shared<HostProfileSource>(
              ProfileSettings{settings.virt_type, settings.hotplug, settings.spare_pcie_ports})),
          queries(source, query_limits(settings)),
          work(source, work_limits(settings)),
          figures(source, figure_limits(settings)),
          power(work, queries, owned, timeouts_of(settings)),
          disks(DomainCalls(work, queries, owned, timeouts_of(settings)), profile, images),
          migration(source, work, queries, owned, timeouts_of(settings)),
          definitions(work, queries, owned, profile, timeouts_of(settings)),
          inspector(queries, profile, timeouts_of(settings)),
          networks(work, queries, timeouts_of(settings)),
          stats(figures, owned),
          guests(DomainCalls(work, queries, owned, timeouts_of(settings))),
          observer(source, queries, owned, timeouts_of(settings), clock) {
        work.diagnose_with([this](const VmId& vm) { return qemu_silence(queries, vm); });
        observer.when_connected([this] {
            inspector.forget();
            profile->forget();
        });
    }

    std::shared_ptr<ConnectionSource> source;
    std::shared_ptr<OwnedDomains> owned;
    std::shared_ptr<HostProfileSource> profile;
    CallRunner queries;
    CallRunner work;
    CallRunner figures;  // its calls may hang with a frozen QEMU
    LibvirtVmPower power;
    LibvirtVmDisks disks;
    LibvirtVmMigration migration;
    LibvirtVmDefinitions definitions;
    LibvirtHostInspector inspector;
    LibvirtVirtualNetworks networks;
    LibvirtVmStats stats;
    LibvirtVmGuests guests;
    LibvirtVmObserver observer;  // last: its thread uses the others
};

LibvirtHost::LibvirtHost(LibvirtSettings settings, const Clock& clock, DiskImages& images)
    : parts_(std::make_unique<Parts>(settings, clock, images)) {}
LibvirtHost::~LibvirtHost() = default;

VmPower& LibvirtHost::power() {
    return parts_->power;
}
VmDisks& LibvirtHost::disks() {
    return parts_->disks;
}
VmMigration& LibvirtHost::migration() {
    return parts_->migration;
}
VmDefinitions& LibvirtHost::definitions() {
    return parts_->definitions;
}
VmObserver& LibvirtHost::observer() {
    return parts_->observer;
}
HostInspector& LibvirtHost::inspector() {
    return parts_->inspector;
}
VirtualNetworks& LibvirtHost::networks() {
    return parts_->networks;
}

VmStatsSource& LibvirtHost::stats() {
    return parts_->stats;
}

VmGuests& LibvirtHost::guests() {
    return parts_->guests;
}

void LibvirtHost::observe_calls(const CallObserver& observer) {
    for (CallRunner* runner : {&parts_->queries, &parts_->work, &parts_->figures}) runner->observe_with(observer);
    parts_->migration.observe_with(observer);
}

LibvirtHost::Load LibvirtHost::load() const {
    Load sum;
    for (const CallRunner* runner : {&parts_->queries, &parts_->work, &parts_->figures}) {
        sum.connections += runner->connections();
        sum.threads += runner->threads();
    }
    return sum;
}

}  // namespace hvagent::libvirt
