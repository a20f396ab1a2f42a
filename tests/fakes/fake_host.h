// A host in memory: VMs that start and stop, guests that obey or do not, a libvirt that can be lost.
//
//   FakeHost host;
//   host.make_deaf(vm);                                    // the guest ignores shutdown requests
//   host.faults.fail_next("start", Error(Code::operation_failed, "no memory"));
//   host.faults.hang("suspend");                           // until host.faults.release("suspend")
//   host.lose_libvirt("connection reset");
//   host.settle();                                         // the listener has received every event
#pragma once
#include "hvagent/drivers/host_facts.h"
#include "hvagent/drivers/vm_power.h"
#include "tests/fakes/fake_domains.h"
#include "tests/fakes/fake_networks.h"
#include "tests/fakes/fake_vm_migration.h"

namespace hvagent {

class FakeVmPower final : public VmPower {
public:
    FakeVmPower(FakeDomains& domains, Faults& faults) : domains_(domains), faults_(faults) {}

    void start(const VmId& vm, bool paused) override {
        faults_.happen("start");
        domains_.with(vm, [&](FakeDomain& domain) {
            if (domain.is_active()) return;
            domain.cpus = domain.spec.cpus;
            domain.memory = domain.spec.memory;
            domains_.change(domain, VmState::running, "booted");
            if (paused) domains_.change(domain, VmState::paused, "user");
        });
    }
    void destroy(const VmId& vm) override {
        faults_.happen("destroy");
        try {
            domains_.with(vm, [&](FakeDomain& domain) {
                if (domain.is_active()) domains_.change(domain, VmState::stopped, "destroyed");
            });
        } catch (const Error& error) {
            if (error.code() != Code::not_found) throw;
        }
    }
    void suspend(const VmId& vm) override { move("suspend", vm, VmState::running, VmState::paused, "user"); }
    void resume(const VmId& vm) override { move("resume", vm, VmState::paused, VmState::running, "resumed"); }
    void request_shutdown(const VmId& vm, ShutdownMethod method) override {
        faults_.happen("request_shutdown");
        domains_.with(vm, [&](FakeDomain& domain) {
            if (!domain.is_active()) return;
            if (method == ShutdownMethod::guest_agent && !domain.guest_agent)
                throw Error(Code::no_capability,
                            "shut down by guest agent VM " + vm.str() + ": the guest agent is not connected");
            if (domain.requests_to_ignore > 0) {
                if (domain.requests_to_ignore != INT_MAX) --domain.requests_to_ignore;
                return;
            }
            domains_.change(domain, VmState::stopped, "shutdown");
        });
    }
    bool has_guest_agent(const VmId& vm) override {
        faults_.happen("has_guest_agent");
        return domains_.with(vm, [](FakeDomain& domain) { return domain.guest_agent; });
    }
    void set_live_cpus(const VmId& vm, int cpus) override {
        faults_.happen("set_live_cpus");
        grow(vm, &FakeDomain::cpus, cpus);
    }
    void set_live_memory(const VmId& vm, Bytes memory) override {
        faults_.happen("set_live_memory");
        grow(vm, &FakeDomain::memory, memory);
    }

    // Test: VMs are defined with room for more CPUs and memory.
    bool has_room = false;

private:
    void move(const char* method, const VmId& vm, VmState from, VmState to, const char* reason) {
        faults_.happen(method);
        domains_.with(vm, [&](FakeDomain& domain) {
            if (domain.state == to) return;
            if (domain.state != from)
                throw Error(Code::operation_failed, std::string(method) + " VM " + vm.str() + ": domain is not running");
            domains_.change(domain, to, reason);
        });
    }
    template <class Size>
    void grow(const VmId& vm, Size FakeDomain::*member, Size wanted) {
        domains_.with(vm, [&](FakeDomain& domain) {
            if (!domain.is_active()) throw Error(Code::operation_failed, "VM " + vm.str() + ": domain is not running");
            if (domain.*member == wanted) return;
            if (!has_room || wanted < domain.*member)
                throw Error(Code::no_capability, "VM " + vm.str() + " has no room to become " + std::to_string(wanted));
            domain.*member = wanted;
        });
    }

    FakeDomains& domains_;
    Faults& faults_;
};

class FakeVmDefinitions final : public VmDefinitions {
public:
    FakeVmDefinitions(FakeDomains& domains, Faults& faults) : domains_(domains), faults_(faults) {}

    void define(const VmSpec& spec) override {
        faults_.happen("define");
        domains_.with_all([&](auto& domains, auto& foreign) {
            require_ours(foreign, spec.vm);
            if (spec.cpus < 1 || spec.memory < 1) throw Error(Code::invalid_argument, "a VM needs a CPU and memory");
            FakeDomain& domain = domains[spec.vm];
            domain.spec = spec;
            domain.persistent = true;
        });
    }
    void undefine(const VmId& vm) override {
        faults_.happen("undefine");
        domains_.with_all([&](auto& domains, auto& foreign) {
            require_ours(foreign, vm);
            const auto found = domains.find(vm);
            if (found == domains.end()) return;
            found->second.persistent = false;
            if (!found->second.is_active()) domains.erase(found);
        });
    }
    bool is_defined(const VmId& vm) override {
        faults_.happen("is_defined");
        return domains_.with_all([&](auto& domains, auto&) {
            const auto found = domains.find(vm);
            return found != domains.end() && found->second.persistent;
        });
    }
    std::vector<ForeignDomain> list_foreign() override {
        faults_.happen("list_foreign");
        return domains_.with_all([](auto&, auto& foreign) { return foreign; });
    }

private:
    static void require_ours(const std::vector<ForeignDomain>& foreign, const VmId& vm) {
        for (const ForeignDomain& domain : foreign)
            if (domain.name == vm.str() || domain.uuid == with_dashes(vm.str()))
                throw Error(Code::operation_failed, "the domain " + domain.name + " does not carry hvagent's mark");
    }

    FakeDomains& domains_;
    Faults& faults_;
};

class FakeVmObserver final : public VmObserver {
public:
    FakeVmObserver(FakeDomains& domains, Faults& faults) : domains_(domains), faults_(faults) {}

    void start(VmObserverListener& listener) override { domains_.start(listener); }
    void stop() override { domains_.stop(); }
    bool connected() const override { return domains_.connected(); }
    std::optional<VmObservation> look(const VmId& vm) override {
        faults_.happen("look");
        return domains_.with_all([&](auto& domains, auto&) {
            const auto found = domains.find(vm);
            return found == domains.end() ? std::nullopt : std::optional(domains_.observation(found->second));
        });
    }

private:
    FakeDomains& domains_;
    Faults& faults_;
};

class FakeHostInspector final : public HostInspector {
public:
    explicit FakeHostInspector(Faults& faults) : faults_(faults) {}

    HostFacts facts() override {
        faults_.happen("facts");
        return host;
    }
    std::optional<HostFacts> known_facts() override { return host; }
    Bytes free_memory() override { return free; }

    HostFacts host{8, 1, 32 * GiB, "x86_64", "9.0.0", "7.2.0", "debian", "bookworm", "12", "qemu"};
    Bytes free = 16 * GiB;

private:
    Faults& faults_;
};

class FakeHost {
public:
    explicit FakeHost(const Clock& clock) : domains_(clock) {}

    VmPower& power() { return power_; }
    VmDefinitions& definitions() { return definitions_; }
    VmObserver& observer() { return observer_; }
    FakeHostInspector& inspector() { return inspector_; }
    FakeVirtualNetworks& networks() { return networks_; }
    FakeVmMigration& migration() { return migration_; }
    FakeDomains& domains() { return domains_; }

    // By method name; see Faults.
    Faults faults;

    void make_deaf(const VmId& vm) { ignore_requests(vm, INT_MAX); }
    // A guest that boots misses a press of the power button.
    void ignore_requests(const VmId& vm, int count) {
        domains_.happen(vm, [&](FakeDomain& domain) { domain.requests_to_ignore = count; });
    }
    void connect_guest_agent(const VmId& vm, bool up) {
        domains_.happen(vm, [&](FakeDomain& domain) {
            domain.guest_agent = up;
            domains_.send(up ? VmEventKind::guest_agent_connected : VmEventKind::guest_agent_disconnected, domain,
                          up ? "guest agent connected" : "guest agent disconnected");
        });
    }
    void power_off_by_guest(const VmId& vm) { end(vm, VmState::stopped, "shutdown"); }
    void kill_qemu(const VmId& vm) { end(vm, VmState::crashed, "crashed"); }
    void pause_for_io_error(const VmId& vm) { end(vm, VmState::paused, "I/O error"); }
    void reboot_by_guest(const VmId& vm) {
        domains_.happen(
            vm, [&](FakeDomain& domain) { domains_.send(VmEventKind::rebooted_by_guest, domain, "rebooted by guest"); });
    }
    void add_foreign(const ForeignDomain& domain) { domains_.add_foreign(domain); }
    void give_room_for_growth() { power_.has_room = true; }

    void lose_libvirt(const std::string& reason = "connection reset by peer") { domains_.lose_libvirt(reason); }
    void bring_libvirt_back() { domains_.bring_libvirt_back(); }
    void settle() { domains_.settle(); }

    std::optional<FakeDomain> find(const VmId& vm) const { return domains_.find(vm); }

private:
    void end(const VmId& vm, VmState state, const char* reason) {
        domains_.happen(vm, [&](FakeDomain& domain) { domains_.change(domain, state, reason); });
    }

    FakeDomains domains_;
    FakeVmPower power_{domains_, faults};
    FakeVmDefinitions definitions_{domains_, faults};
    FakeVmObserver observer_{domains_, faults};
    FakeHostInspector inspector_{faults};
    FakeVirtualNetworks networks_{faults};
    FakeVmMigration migration_{domains_, faults};
};

}  // namespace hvagent
