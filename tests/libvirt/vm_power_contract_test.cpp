// What every VmPower does.
#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

class VmPowerContract : public HostTest {
protected:
    VmState state_of(const VmId& vm) {
        const auto seen = host->observer().look(vm);
        return seen ? seen->state : VmState::unknown;
    }
};
INSTANTIATE_TEST_SUITE_P(Hosts, VmPowerContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(VmPowerContract, StartsSuspendsResumesAndDestroys) {
    const VmId vm = define_vm();
    host->power().start(vm, false);
    EXPECT_EQ(state_of(vm), VmState::running);
    host->power().suspend(vm);
    EXPECT_EQ(state_of(vm), VmState::paused);
    host->power().resume(vm);
    EXPECT_EQ(state_of(vm), VmState::running);
    host->power().destroy(vm);
    EXPECT_EQ(state_of(vm), VmState::stopped);
}

TEST_P(VmPowerContract, StartsPausedWhenAsked) {
    if (!host->has_qemu()) GTEST_SKIP() << "libvirt's test driver cannot start a VM paused";
    const VmId vm = define_vm();
    host->power().start(vm, true);
    EXPECT_EQ(state_of(vm), VmState::paused);
}

TEST_P(VmPowerContract, LeavesAloneWhatIsDoneAlready) {
    const VmId vm = define_vm();
    host->power().destroy(vm);
    host->power().start(vm, false);
    host->power().start(vm, false);
    EXPECT_EQ(state_of(vm), VmState::running);
    host->power().suspend(vm);
    host->power().suspend(vm);
    EXPECT_EQ(state_of(vm), VmState::paused);
    host->power().start(vm, false);
    EXPECT_EQ(state_of(vm), VmState::paused);
    host->power().resume(vm);
    host->power().resume(vm);
    EXPECT_EQ(state_of(vm), VmState::running);
    host->power().destroy(vm);
    host->power().destroy(vm);
    EXPECT_EQ(state_of(vm), VmState::stopped);
}

TEST_P(VmPowerContract, SaysNotFoundOfAVmThatIsNotDefined) {
    const VmId nobody = VmId::make();
    EXPECT_EQ(thrown_code([&] { host->power().start(nobody, false); }), Code::not_found);
    EXPECT_EQ(thrown_code([&] { host->power().suspend(nobody); }), Code::not_found);
    EXPECT_EQ(thrown_code([&] { host->power().has_guest_agent(nobody); }), Code::not_found);
    host->power().destroy(nobody);
}

TEST_P(VmPowerContract, RefusesToSuspendOrResumeWhatIsOff) {
    const VmId vm = define_vm();
    EXPECT_EQ(thrown_code([&] { host->power().suspend(vm); }), Code::operation_failed);
    EXPECT_EQ(thrown_code([&] { host->power().resume(vm); }), Code::operation_failed);
    EXPECT_EQ(state_of(vm), VmState::stopped);
}

TEST_P(VmPowerContract, AsksNoGuestAgentThatIsNotThere) {
    const VmId vm = define_vm();
    host->power().start(vm, false);
    EXPECT_FALSE(host->power().has_guest_agent(vm));
    thrown_error([&] { host->power().request_shutdown(vm, ShutdownMethod::guest_agent); });
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_P(VmPowerContract, GrowsNoVmWithoutRoom) {
    const VmId vm = define_vm();
    host->power().start(vm, false);
    host->power().set_live_cpus(vm, 1);
    host->power().set_live_memory(vm, 32 * MiB);
    EXPECT_EQ(thrown_code([&] { host->power().set_live_cpus(vm, 2); }), Code::no_capability);
    EXPECT_EQ(thrown_code([&] { host->power().set_live_memory(vm, 256 * MiB); }), Code::no_capability);
}

TEST_P(VmPowerContract, TouchesNoForeignDomain) {
    const ForeignDomain foreign = host->add_foreign();
    const VmId vm(without_dashes(foreign.uuid));
    thrown_error([&] { host->power().suspend(vm); });
    // A foreign domain is not found among ours by the fake; a real host names the missing mark.
    try {
        host->power().destroy(vm);
    } catch (const Error& error) {
        EXPECT_NE(error.details().find("mark"), std::string::npos) << error.details();
    }
    const auto left = host->definitions().list_foreign();
    EXPECT_TRUE(std::any_of(left.begin(), left.end(),
                            [&](const ForeignDomain& d) { return d.uuid == foreign.uuid && d.state == "running"; }));
}

}  // namespace
}  // namespace hvagent::testing
