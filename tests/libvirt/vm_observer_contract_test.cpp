// What every VmObserver does.
#include <algorithm>

#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

class VmObserverContract : public HostTest {
protected:
    void TearDown() override {
        if (host) host->observer().stop();  // before `seen` goes
        HostTest::TearDown();
    }
    void observe() {
        host->observer().start(seen);
        ASSERT_TRUE(seen.wait_for_pictures(1));
    }
    Recorder seen;
};
INSTANTIATE_TEST_SUITE_P(Hosts, VmObserverContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(VmObserverContract, BeginsWithAPictureOfAllOurVms) {
    const VmId off = define_vm();
    const VmId on = define_vm();
    host->power().start(on, false);
    observe();
    EXPECT_TRUE(host->observer().connected());
    ASSERT_TRUE(seen.in_picture(off));
    EXPECT_EQ(seen.in_picture(off)->state, VmState::stopped);
    ASSERT_TRUE(seen.in_picture(on));
    EXPECT_EQ(seen.in_picture(on)->state, VmState::running);
    EXPECT_EQ(seen.in_picture(on)->reason, "booted");
}

TEST_P(VmObserverContract, TellsEachChangeWithItsReason) {
    observe();
    const VmId vm = define_vm();
    host->power().start(vm, false);
    EXPECT_TRUE(seen.wait_for(vm, VmState::running, "booted"));
    host->power().suspend(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::paused, "user"));
    host->power().resume(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::running, "resumed"));
    host->power().destroy(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::stopped, "destroyed"));
}

TEST_P(VmObserverContract, TellsAVmThatDiesApartFromOneThatWasStopped) {
    if (!host->has_qemu()) GTEST_SKIP() << "this host has no process to kill";
    observe();
    const VmId vm = define_vm();
    host->power().start(vm, false);
    host->kill_qemu(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::crashed, "crashed"));
    const auto look = host->observer().look(vm);
    ASSERT_TRUE(look);
    EXPECT_EQ(look->state, VmState::crashed);
    EXPECT_EQ(look->reason, "crashed");
}

TEST_P(VmObserverContract, KeepsSilentAboutForeignDomains) {
    const VmId own = define_vm();
    const ForeignDomain before = host->add_foreign();
    observe();
    EXPECT_FALSE(seen.in_picture(VmId(without_dashes(before.uuid))));
    const ForeignDomain after = host->add_foreign();
    host->power().start(own, false);  // an event of ours after theirs
    ASSERT_TRUE(seen.wait_for(own, VmState::running));
    for (const VmEvent& event : seen.events()) EXPECT_EQ(event.observation.vm, own);
}

TEST_P(VmObserverContract, StampsWhatItSaw) {
    const Time before = std::chrono::system_clock::now();
    const VmId vm = define_vm();
    host->power().start(vm, false);
    const auto look = host->observer().look(vm);
    ASSERT_TRUE(look);
    EXPECT_GE(look->at, before);
    EXPECT_LE(look->at, std::chrono::system_clock::now());
}

TEST_P(VmObserverContract, LooksInVainForAVmThatIsNotThere) {
    EXPECT_FALSE(host->observer().look(VmId::make()));
}

TEST_P(VmObserverContract, TellsNothingOnceItIsStopped) {
    observe();
    host->observer().stop();
    EXPECT_FALSE(host->observer().connected());
    const std::size_t told = seen.events().size();
    const VmId vm = define_vm();
    host->power().start(vm, false);
    host->power().destroy(vm);
    EXPECT_EQ(seen.events().size(), told);
    host->observer().start(seen);
    EXPECT_TRUE(seen.wait_for_pictures(2));
}

}  // namespace
}  // namespace hvagent::testing
