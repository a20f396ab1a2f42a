#include "drivers/libvirt/libvirt_vm_power.h"

#include <libvirt/virterror.h>

#include "drivers/libvirt/disk_holder.h"
#include "drivers/libvirt/domain_xml/live_definition.h"

namespace hvagent::libvirt {
namespace {

int state_now(virDomainPtr domain) {
    int state = VIR_DOMAIN_NOSTATE;
    return virDomainGetState(domain, &state, nullptr, 0) < 0 ? VIR_DOMAIN_NOSTATE : state;
}

// libvirt fails a call whose aim is reached already ("domain is already running"): a job that is repeated after a restart
// must not fail by it. Without an answer about the state, the failure stands.
template <class IsDone>
void unless_done(virDomainPtr domain, const std::string& what, IsDone is_done) {
    const LibvirtError failure = last_error(what);
    const int state = state_now(domain);
    if (state == VIR_DOMAIN_NOSTATE || !is_done(state)) throw failure;
}

bool is_active(int state) {
    return state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_NOSTATE && state != VIR_DOMAIN_CRASHED;
}

std::string live_xml(virDomainPtr domain) {
    return Text(checked(virDomainGetXMLDesc(domain, 0), "read the live definition")).get();
}

// Plugs memory in as a DIMM: libvirt can only change `currentMemory` within what was plugged.
void plug_memory(virDomainPtr domain, Bytes wanted, const std::string& what) {
    const LiveMemory memory = live_memory(live_xml(domain));
    if (wanted == memory.size) return;
    if (wanted < memory.size)
        throw Error(Code::no_capability, what + ": memory of a running VM only grows; it has " + human_size(memory.size) +
                                             " and " + human_size(wanted) + " was asked for");
    if (memory.most == 0)
        throw Error(Code::no_capability, what + ": the VM was started without room for memory (no maximum, no slots)");
    const Bytes more = wanted - memory.size;
    if (wanted > memory.most || memory.free_slots == 0 || more % (128 * MiB) != 0)
        throw Error(Code::no_capability, what + ": " + human_size(more) + " cannot be plugged in: the VM may have " +
                                             human_size(memory.most) + ", has " + std::to_string(memory.free_slots) +
                                             " free slots, and grows in steps of 128 MiB");
    checked(virDomainAttachDeviceFlags(domain, memory_device(more).c_str(), VIR_DOMAIN_AFFECT_LIVE), what);
}

}  // namespace

LibvirtVmPower::LibvirtVmPower(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned,
                               CallTimeouts timeouts)
    : work_(work), queries_(queries), owned_(std::move(owned)), timeouts_(timeouts) {}

template <class Call>
auto LibvirtVmPower::with_domain(CallRunner& runner, CallName name, milliseconds timeout, Call call) {
    const std::string what = name.what + " VM " + name.vm.str();
    return runner.run(name, timeout, [owned = owned_, vm = name.vm, what, call](Session& session) {
        const SharedDomain domain = session.domain(vm);
        owned->require(domain.get(), what);
        return call(domain.get(), what);
    });
}

void LibvirtVmPower::start(const VmId& vm, bool paused) {
    const unsigned flags = paused ? unsigned{VIR_DOMAIN_START_PAUSED} : 0u;
    with_domain(work_, {"start", vm}, timeouts_.call, [flags](virDomainPtr domain, const std::string& what) {
        if (virDomainCreateWithFlags(domain, flags) == 0) return;
        try {
            unless_done(domain, what, is_active);
        } catch (const LibvirtError& failure) {
            throw with_holder(virDomainGetConnect(domain), what, failure);
        }
    });
}

void LibvirtVmPower::destroy(const VmId& vm) {
    try {
        with_domain(work_, {"destroy", vm, true}, timeouts_.destroy, [](virDomainPtr domain, const std::string& what) {
            if (virDomainDestroyFlags(domain, 0) < 0) unless_done(domain, what, [](int state) { return !is_active(state); });
        });
    } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;
    }
}

void LibvirtVmPower::suspend(const VmId& vm) {
    with_domain(work_, {"suspend", vm}, timeouts_.call, [](virDomainPtr domain, const std::string& what) {
        if (virDomainSuspend(domain) < 0) unless_done(domain, what, [](int state) { return state == VIR_DOMAIN_PAUSED; });
    });
}

void LibvirtVmPower::resume(const VmId& vm) {
    with_domain(work_, {"resume", vm}, timeouts_.call, [](virDomainPtr domain, const std::string& what) {
        if (virDomainResume(domain) < 0) unless_done(domain, what, [](int state) { return state == VIR_DOMAIN_RUNNING; });
    });
}

void LibvirtVmPower::request_shutdown(const VmId& vm, ShutdownMethod method) {
    const bool agent = method == ShutdownMethod::guest_agent;
    const unsigned flags = agent ? VIR_DOMAIN_SHUTDOWN_GUEST_AGENT : VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;
    const std::string way = agent ? "shut down by guest agent" : "press the power button of";
    with_domain(work_, {way, vm}, timeouts_.call, [flags, agent](virDomainPtr domain, const std::string& what) {
        if (virDomainShutdownFlags(domain, flags) == 0) return;
        // A driver with only one way to ask (libvirt's test driver) knows no flags.
        if (!agent && last_error_number() == VIR_ERR_INVALID_ARG && virDomainShutdown(domain) == 0) return;
        unless_done(domain, what, [](int state) { return !is_active(state); });
    });
}

bool LibvirtVmPower::has_guest_agent(const VmId& vm) {
    return with_domain(queries_, {"look for the guest agent of", vm, false, true}, timeouts_.query,
                       [](virDomainPtr domain, const std::string&) { return guest_agent_connected(live_xml(domain)); });
}

void LibvirtVmPower::set_live_cpus(const VmId& vm, int cpus) {
    with_domain(work_, {"set the CPUs of", vm}, timeouts_.call, [cpus](virDomainPtr domain, const std::string& what) {
        const int most = checked(virDomainGetVcpusFlags(domain, VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_MAXIMUM), what);
        const int now = checked(virDomainGetVcpusFlags(domain, VIR_DOMAIN_VCPU_LIVE), what);
        if (cpus == now) return;
        if (cpus < now || cpus > most)
            throw Error(Code::no_capability, what + ": CPUs of a running VM only grow; it has " + std::to_string(now) +
                                                 ", may have " + std::to_string(most) + ", and " + std::to_string(cpus) +
                                                 " were asked for");
        checked(virDomainSetVcpusFlags(domain, static_cast<unsigned>(cpus), VIR_DOMAIN_VCPU_LIVE), what);
    });
}

void LibvirtVmPower::set_live_memory(const VmId& vm, Bytes memory) {
    with_domain(work_, {"set the memory of", vm}, timeouts_.call,
                [memory](virDomainPtr domain, const std::string& what) { plug_memory(domain, memory, what); });
}

}  // namespace hvagent::libvirt
