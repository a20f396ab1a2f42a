// What a contract suite runs on: the fake, libvirt's test driver, or a real libvirtd with QEMU.
#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hvagent/drivers/host_facts.h"
#include "hvagent/drivers/virtual_networks.h"
#include "hvagent/drivers/vm_definitions.h"
#include "hvagent/drivers/vm_migration.h"
#include "hvagent/drivers/vm_observer.h"
#include "hvagent/drivers/vm_power.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::testing {

inline Code thrown_code(const std::function<void()>& action) {
    return thrown_error(action).code();
}

class HostUnderTest {
public:
    virtual ~HostUnderTest() = default;
    virtual VmPower& power() = 0;
    virtual VmDefinitions& definitions() = 0;
    virtual VmObserver& observer() = 0;
    virtual HostInspector& inspector() = 0;
    virtual VirtualNetworks& networks() = 0;
    virtual VmMigration& migration() = 0;

    // A domain of somebody else, running.
    virtual ForeignDomain add_foreign() = 0;
    // QEMU dies by itself.
    virtual void kill_qemu(const VmId& vm) = 0;
    // Libvirt's test driver has no processes and cannot start a VM paused.
    virtual bool has_qemu() const { return true; }
};

// One line of INSTANTIATE_TEST_SUITE_P. `make` returns null and a reason where this host cannot be had.
struct HostKind {
    const char* name;
    std::function<std::unique_ptr<HostUnderTest>(std::string& why)> make;
};
std::vector<HostKind> all_hosts();
inline void PrintTo(const HostKind& kind, std::ostream* out) {
    *out << kind.name;
}
inline std::string name_of(const ::testing::TestParamInfo<HostKind>& info) {
    return info.param.name;
}

// Skips the test where its host cannot be had, and removes its VMs afterwards.
class HostTest : public ::testing::TestWithParam<HostKind> {
protected:
    void SetUp() override {
        std::string why;
        host = GetParam().make(why);
        if (!host) GTEST_SKIP() << why;
    }
    void TearDown() override;

    // A VM of 32 MiB without disks, defined.
    VmId define_vm();
    VmSpec small_spec();

    std::unique_ptr<HostUnderTest> host;
    std::vector<VmId> made;
};

// Records what an observer tells, and waits for it.
class Recorder : public VmObserverListener {
public:
    void on_connected(std::vector<VmObservation> picture) override;
    void on_event(const VmEvent& event) override;
    void on_disconnected(const std::string& reason) override;

    // Until `count` pictures have come in all; false after `patience`.
    bool wait_for_pictures(int count, milliseconds patience = seconds(20));
    bool wait_for_disconnects(int count, milliseconds patience = seconds(20));
    // Until an event of `vm` shows this state (and reason, unless empty).
    bool wait_for(const VmId& vm, VmState state, const std::string& reason = "", milliseconds patience = seconds(20));
    bool wait_for(const VmId& vm, VmEventKind kind, milliseconds patience = seconds(20));

    std::vector<VmEvent> events() const;
    std::vector<VmObservation> picture() const;  // the newest
    std::optional<VmObservation> in_picture(const VmId& vm) const;
    int pictures() const;
    void forget_events();

private:
    template <class Condition>
    bool wait(milliseconds patience, Condition condition);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<VmEvent> events_;
    std::vector<VmObservation> picture_;
    int pictures_ = 0;
    int disconnects_ = 0;
};

}  // namespace hvagent::testing
