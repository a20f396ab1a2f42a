// What every VmMigration says of VMs that do not move; moves are shown between two real hosts.
#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

class Obedient final : public MigrationJudge {
public:
    MigrationOrder judge(const MigrationSight&) override { return {}; }
};

class VmMigrationContract : public HostTest {};
INSTANTIATE_TEST_SUITE_P(Hosts, VmMigrationContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(VmMigrationContract, TellsTheTruthOfWhatIsHere) {
    const VmId vm = define_vm();
    MigrationTruth seen = host->migration().truth(vm);
    EXPECT_TRUE(seen.defined);
    EXPECT_FALSE(seen.active);
    EXPECT_EQ(seen.state, VmState::stopped);
    host->power().start(vm, false);
    seen = host->migration().truth(vm);
    EXPECT_TRUE(seen.active);
    EXPECT_EQ(seen.state, VmState::running);
    EXPECT_EQ(seen.reason, "booted");
    EXPECT_FALSE(seen.migrating_out || seen.migrating_in);
    host->power().suspend(vm);
    EXPECT_EQ(host->migration().truth(vm).state, VmState::paused);
}

TEST_P(VmMigrationContract, WhatIsNowhereIsAbsent) {
    EXPECT_TRUE(host->migration().truth(VmId::make()).is_absent());
    const VmId vm = define_vm();
    EXPECT_FALSE(host->migration().truth(vm).is_absent());
    host->definitions().undefine(vm);
    EXPECT_TRUE(host->migration().truth(vm).is_absent());
}

TEST_P(VmMigrationContract, AbortingNothingIsASuccess) {
    const VmId vm = define_vm();
    host->migration().abort(vm);
    host->power().start(vm, false);
    host->migration().abort(vm);
    EXPECT_EQ(host->migration().truth(vm).state, VmState::running);
    host->migration().abort(VmId::make());
}

TEST_P(VmMigrationContract, AVmThatIsOffHasNoNeedsAndDoesNotMove) {
    const VmId vm = define_vm();
    EXPECT_EQ(thrown_code([&] { host->migration().needs_of(vm); }), Code::vm_wrong_state);
    Obedient judge;
    Cancellation never;
    MigrationWay way;
    way.destination_uri = "qemu+tcp://192.0.2.1/system";
    EXPECT_EQ(thrown_code([&] { host->migration().migrate(vm, way, judge, never); }), Code::vm_wrong_state);
}

}  // namespace
}  // namespace hvagent::testing
