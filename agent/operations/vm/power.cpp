// Start, stop, reboot, pause, resume.
#include "agent/operations/cdrom/boot_order.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/vm/ownership.h"
#include "agent/operations/vm/parts.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using state::Transition;

constexpr milliseconds agent_share{10000};  // of the grace: how long the guest agent may take before ACPI is tried too
constexpr milliseconds press_again{
    5000};  // a button pressed in early boot is lost; a guest that heard it does not mind another
const std::vector<VmState> off_states{VmState::stopped, VmState::crashed};

void check_placement(Services& services, const StartVm& params) {
    if (!params.host.empty() && params.host != services.host)
        throw Error(Code::no_available_host, "the host " + params.host.str() + " is not this host, " + services.host.str());
    const Host here = services.inventory.get<Host>(services.host);
    if (params.host.empty() && !params.cluster.empty() && params.cluster != here.cluster)
        throw Error(Code::no_available_host,
                    "no host of the cluster " + params.cluster.str() + " is known; this host is in " + here.cluster.str());
}

// Asks by one method; false when the guest cannot be asked that way.
bool ask(Services& services, const VmId& vm, ShutdownMethod method) {
    try {
        services.power.request_shutdown(vm, method);
        return true;
    } catch (const Error& error) {
        log::warning("the guest could not be asked to power off",
                     {{"vm", vm.str()},
                      {"method", method == ShutdownMethod::acpi ? "acpi" : "guest agent"},
                      {"error", error.details()}});
        return false;
    }
}

bool has_guest_agent(Services& services, const VmId& vm) {
    try {
        return services.power.has_guest_agent(vm);
    } catch (const Error&) {
        return false;  // ACPI is tried, and the plug pulled, all the same
    }
}

// One deadline for all methods together; nullopt when the guest heard none of them.
std::optional<StoppedBy> ask_guest(Services& services, Job& job, const VmId& vm) {
    const Moment longest = std::min(job.deadline(), services.clock.moment() + services.settings.stop_grace);
    // A shutdown of the host may be announced while the guest takes its time.
    const auto next_look = [&](milliseconds share) {
        return std::min({longest, services.guests_stop_by(), services.clock.moment() + share});
    };
    if (has_guest_agent(services, vm) && ask(services, vm, ShutdownMethod::guest_agent)) {
        if (services.states.wait_until(vm, off_states, next_look(agent_share), job.cancellation()))
            return StoppedBy::guest_agent;
    }
    while (services.clock.moment() < std::min(longest, services.guests_stop_by())) {
        ask(services, vm, ShutdownMethod::acpi);
        if (services.states.wait_until(vm, off_states, next_look(press_again), job.cancellation())) return StoppedBy::acpi;
    }
    return std::nullopt;
}

bool is_off(const std::optional<VmState>& state) {
    return state == VmState::stopped || state == VmState::crashed;
}

}  // namespace

std::string_view to_text(StoppedBy method) {
    switch (method) {
        case StoppedBy::guest_agent: return "guestAgent";
        case StoppedBy::acpi: return "acpi";
        case StoppedBy::power_off: return "powerOff";
        case StoppedBy::itself: return "alreadyOff";
    }
    return "";
}

StoppedBy halt(Services& services, Job& job, const VmId& vm, StopType type) {
    const std::optional<VmState> now = services.states.look(vm);
    if (is_off(now)) return StoppedBy::itself;
    // A paused guest hears nothing. One that libvirt does not show at this moment may well listen.
    if (type == StopType::grace && now != VmState::paused) {
        if (const auto heard = ask_guest(services, job, vm)) return *heard;
        log::warning("the guest did not power off in time",
                     {{"vm", vm.str()}, {"seconds", services.settings.stop_grace.count()}});
    }
    services.power.destroy(vm);
    return StoppedBy::power_off;
}

void boot(Services& services, Job& job, const VmId& id) {
    services.require_host_stays();
    const Vm vm = services.inventory.get<Vm>(id);
    // Before anything is done to its disks.
    if (const std::string reason = why_not_ours(services, vm); !reason.empty()) throw Error(Code::vm_start, reason);
    const auto room = services.capacity.reserve(id, vm.cpus, vm.memory);
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", id.str()}})) {
        const std::string wanted = services.inventory.system_tag(id.str(), "staticIp::" + nic.l3_network.str()).value_or("");
        services.addresses.allocate(nic.uuid, wanted);
    }
    // A disk whose layer was switched by a job that saw no end must not start from the frozen one.
    settle_creations(services, id);
    const VmSpec spec = make_spec(services, vm);
    const std::string hostname = hostname_of(services, id);
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", id.str()}}))
        services.addresses.publish(nic, hostname);
    job.cancellation().check();
    const std::int64_t epoch = claim(services, vm);
    services.definitions.define(spec);
    services.power.start(id, false);
    forget_order_of_one_boot(services, id);
    // Written before the room is given back: a running VM is counted by its record.
    services.inventory.observe<Vm>(id, [&](Vm& record) {
        record.host = services.host;
        record.epoch = epoch;
    });
}

json start_vm(Services& services, Job& job, const StartVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    if (params.epoch != 0 && params.epoch < vm.epoch && !job.resumed())
        throw Error(Code::vm_start, "the start knows the VM up to epoch " + std::to_string(params.epoch) +
                                        "; it was started or moved since and has epoch " + std::to_string(vm.epoch));
    if (vm.observed == VmState::running && vm.intent == VmIntent::kept) {
        if (job.resumed()) forget_order_of_one_boot(services, params.vm);  // the earlier life may have started it
        services.inventory.modify<Vm>(params.vm, [](Vm& record) { record.should_run = true; });
        return services.inventory.answer("VmInstance", params.vm.str());
    }
    services.require_host_stays();
    check_placement(services, params);
    Transition transition(services.states, params.vm, VmState::starting);
    Flow flow(job);
    if (vm.intent == VmIntent::created) flow.step("make volumes", [&] { instantiate(services, job, params.vm); });
    flow.step("start", [&] {
        transition.heading_for(VmState::running);
        boot(services, job, params.vm);
    });
    flow.run();
    transition.arrived(VmState::running, "booted", [](Vm& record) { record.should_run = true; });
    return services.inventory.answer("VmInstance", params.vm.str());
}

json stop_vm(Services& services, Job& job, const StopVm& params) {
    const bool stays_down = params.stop_ha || services.inventory.system_tag(params.vm.str(), "ha") != "NeverStop";
    const auto settle = [stays_down](Vm& record) {
        if (stays_down) record.should_run = false;
    };
    const Vm vm = services.inventory.get<Vm>(params.vm);
    if (vm.observed == VmState::stopped && !job.resumed()) {
        services.inventory.modify<Vm>(params.vm, settle);
        return services.inventory.answer("VmInstance", params.vm.str());
    }
    Transition transition(services.states, params.vm, VmState::stopping);
    const StoppedBy method = halt(services, job, params.vm, params.type);
    transition.arrived(VmState::stopped, std::string(to_text(method)), settle);
    json answer = services.inventory.answer("VmInstance", params.vm.str());
    answer["stoppedBy"] = to_text(method);
    return answer;
}

json reboot_vm(Services& services, Job& job, const OnVm& params) {
    if (!job.resumed()) services.require_host_stays();  // a half done one is stopped at the least
    Transition transition(services.states, params.vm, VmState::rebooting);
    Flow(job)
        .once("stop the guest", [&] { halt(services, job, params.vm, StopType::grace); })
        .step("start",
              [&] {
                  transition.heading_for(VmState::running);
                  boot(services, job, params.vm);
              })
        .run();
    transition.arrived(VmState::running, "booted", [](Vm& record) { record.should_run = true; });
    return services.inventory.answer("VmInstance", params.vm.str());
}

json pause_vm(Services& services, Job&, const OnVm& params) {
    Transition transition(services.states, params.vm, VmState::pausing);
    transition.heading_for(VmState::paused);
    services.power.suspend(params.vm);
    transition.arrived(VmState::paused, "user");
    return services.inventory.answer("VmInstance", params.vm.str());
}

json resume_vm(Services& services, Job&, const ResumeVm& params) {
    if (params.only_after_io_error) {
        services.states.look(params.vm);
        if (!services.inventory.get<Vm>(params.vm).is_paused_by_io_error())
            return services.inventory.answer("VmInstance", params.vm.str());
    }
    Transition transition(services.states, params.vm, VmState::resuming);
    transition.heading_for(VmState::running);
    services.power.resume(params.vm);
    transition.arrived(VmState::running, params.only_after_io_error ? "resumed after I/O error" : "unpaused");
    return services.inventory.answer("VmInstance", params.vm.str());
}

}  // namespace hvagent::operations
