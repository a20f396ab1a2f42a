#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

using StopVmTest = VmLife;

TEST_F(StopVmTest, AsksTheGuestAgentFirst) {
    const VmId vm = create_vm();
    world.connect_guest_agent(vm, true);
    EXPECT_EQ(act("StopVmInstance", vm)["stoppedBy"], "guestAgent");
    EXPECT_EQ(state_of(vm), VmState::stopped);
    EXPECT_TRUE(record(vm).host.empty());
    EXPECT_EQ(record(vm).last_host, host);
    EXPECT_FALSE(record(vm).should_run);
}

TEST_F(StopVmTest, PressesThePowerButtonWhereThereIsNoAgent) {
    const VmId vm = create_vm();
    EXPECT_EQ(act("StopVmInstance", vm)["stoppedBy"], "acpi");
    EXPECT_EQ(act("StopVmInstance", vm)["inventory"]["state"], "Stopped") << "stopped already is a success";
}

TEST_F(StopVmTest, PressesThePowerButtonWhenTheAgentFails) {
    const VmId vm = create_vm();
    world.connect_guest_agent(vm, true);
    world.faults.fail_next("request_shutdown", Error(Code::operation_failed, "the agent does not answer"));
    EXPECT_EQ(act("StopVmInstance", vm)["stoppedBy"], "acpi");
}

TEST_F(StopVmTest, PullsThePlugWhenTheGuestIsDeaf) {
    settings.stop_grace = seconds(1);
    const VmId vm = create_vm();
    world.make_deaf(vm);
    EXPECT_EQ(act("StopVmInstance", vm)["stoppedBy"], "powerOff");
    EXPECT_FALSE(world.find(vm)->is_active());
}

TEST_F(StopVmTest, PullsThePlugAtOnceWhenColdOrPaused) {
    const VmId cold = create_vm();
    EXPECT_EQ(act("StopVmInstance", cold, {{"type", "cold"}})["stoppedBy"], "powerOff");
    const VmId paused = create_vm();
    act("PauseVmInstance", paused);
    EXPECT_EQ(state_of(paused), VmState::paused);
    EXPECT_EQ(act("StopVmInstance", paused)["stoppedBy"], "powerOff");
}

TEST_F(StopVmTest, AsksAGuestThatLibvirtDoesNotShowAtThisMoment) {
    const VmId vm = create_vm();
    world.faults.fail_next("look", Error(Code::timeout, "libvirt is slow"));
    EXPECT_EQ(act("StopVmInstance", vm)["stoppedBy"], "acpi");
}

TEST_F(StopVmTest, LeavesItRunningWhenCancelled) {
    const VmId vm = create_vm();
    world.make_deaf(vm);
    FakeJob job(clock);
    world.faults.hang("request_shutdown");
    std::optional<Error> ended;
    std::thread worker([&] {
        try {
            run(job, "StopVmInstance", {{"uuid", vm.str()}});
        } catch (const Error& error) {
            ended = error;
        }
    });
    ASSERT_TRUE(world.faults.wait_until_hanging("request_shutdown"));
    EXPECT_EQ(state_of(vm), VmState::stopping);
    job.cancellation().request();
    world.faults.release("request_shutdown");
    worker.join();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code(), Code::job_cancelled);
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_TRUE(record(vm).should_run);
}

TEST_F(StopVmTest, KeepsANeverStopVmWantedUnlessToldOtherwise) {
    const VmId vm = create_vm({{"systemTags", {"ha::NeverStop"}}});
    act("StopVmInstance", vm);
    EXPECT_TRUE(record(vm).should_run);
    act("StopVmInstance", vm, {{"stopHA", true}});
    EXPECT_FALSE(record(vm).should_run);
}

using StartVmTest = VmLife;

TEST_F(StartVmTest, ReportsTheTruthWhenTheHostRefuses) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    world.faults.fail_next("start", Error(Code::operation_failed, "no memory"));
    EXPECT_THAT(act_failure("StartVmInstance", vm).details(), HasSubstr("no memory"));
    EXPECT_EQ(state_of(vm), VmState::stopped);
    EXPECT_EQ(act("StartVmInstance", vm)["inventory"]["state"], "Running");
    EXPECT_EQ(act("StartVmInstance", vm)["inventory"]["state"], "Running") << "running already is a success";
}

TEST_F(StartVmTest, OfARecordedVmThatFailsCanBeRepeated) {
    const VmId vm = create_vm({{"strategy", "JustCreate"}});
    images.faults.fail_next("create_overlay", Error(Code::io_failed, "broken"));
    EXPECT_THAT(act_failure("StartVmInstance", vm).details(), HasSubstr("broken"));
    EXPECT_EQ(state_of(vm), VmState::created);
    act("StartVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_EQ(volumes_of(vm).size(), 1u);
}

TEST_F(StartVmTest, IsRefusedForAnotherClusterAndForTooMuchMemory) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    EXPECT_THAT(act_failure("StartVmInstance", vm, {{"clusterUuid", make_uuid()}}).details(), HasSubstr("cluster"));
    act("UpdateVmInstance", vm, {{"memorySize", 33 * GiB}});
    EXPECT_THAT(act_failure("StartVmInstance", vm).details(), HasSubstr("the VM needs 33"));
    EXPECT_EQ(state_of(vm), VmState::stopped);
}

using RebootVmTest = VmLife;

TEST_F(RebootVmTest, StopsAndStartsTheGuest) {
    const VmId vm = create_vm();
    EXPECT_EQ(act("RebootVmInstance", vm)["inventory"]["state"], "Running");
    EXPECT_TRUE(world.find(vm)->is_active());
}

TEST_F(RebootVmTest, StartsOnlyWhenTheEarlierLifeStoppedTheGuest) {
    const VmId vm = create_vm();
    FakeJob job(clock);
    world.faults.hang("put_dhcp_host");
    std::optional<Error> ended;
    std::thread worker([&] {
        try {
            run(job, "RebootVmInstance", {{"uuid", vm.str()}});
        } catch (const Error& error) {
            ended = error;
        }
    });
    ASSERT_TRUE(world.faults.wait_until_hanging("put_dhcp_host"));
    EXPECT_EQ(state_of(vm), VmState::rebooting);
    job.cancellation().request(CancelReason::stopping);
    world.faults.release("put_dhcp_host");
    worker.join();
    ASSERT_TRUE(ended);
    EXPECT_FALSE(world.find(vm)->is_active());
    FakeJob again = job.next_life();
    // It would be stopped once more by the look at the guest.
    world.power().start(vm, false);
    world.make_deaf(vm);
    run(again, "RebootVmInstance", {{"uuid", vm.str()}});
    world.settle();
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_TRUE(world.find(vm)->is_active());
}

using DestroyVmTest = VmLife;

TEST_F(DestroyVmTest, KeepsTheDiskUntilItIsRecovered) {
    const VmId vm = create_vm({{"dataDiskSizes", {GiB}}});
    const VolumeId root = record(vm).root_volume;
    act("DestroyVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::destroyed);
    EXPECT_FALSE(record(vm).should_run);
    EXPECT_FALSE(world.find(vm));
    EXPECT_EQ(inventory.count<UsedIp>(), 0);
    EXPECT_EQ(dhcp_entries(), 0u);
    EXPECT_EQ(volume_files().size(), 2u);
    ASSERT_EQ(volumes_of(vm).size(), 1u) << "data volumes belong to nobody now";
    EXPECT_EQ(volumes_of(vm)[0].uuid, root);
    act("DestroyVmInstance", vm);
    act("RecoverVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::stopped);
    act("StartVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_FALSE(nics_of(vm)[0].ip.empty());
}

TEST_F(DestroyVmTest, ThatFailsHalfWayCanBeRepeated) {
    const VmId vm = create_vm();
    world.faults.fail_next("undefine", Error(Code::timeout, "libvirt did not answer"));
    act_failure("DestroyVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::stopped) << "that is what the host shows";
    act("DestroyVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::destroyed);
}

TEST_F(DestroyVmTest, OfWhatIsNotThereIsASuccess) {
    EXPECT_EQ(act("DestroyVmInstance", VmId::make()), json::object());
}

TEST_F(DestroyVmTest, RemovesARecordedVmWithWhatAFailedStartLeft) {
    const VmId vm = create_vm({{"strategy", "JustCreate"}, {"dataDiskSizes", {GiB}}});
    images.faults.fail_next("create_empty", Error(Code::io_failed, "broken"));
    act_failure("StartVmInstance", vm);
    EXPECT_EQ(volume_files().size(), 1u);
    act("DestroyVmInstance", vm);
    expect_nothing_left(vm);
}

TEST_F(DestroyVmTest, OfARecordedVmSaysWhenItCannotBeRemoved) {
    const VmId vm = create_vm({{"strategy", "JustCreate"}});
    images.faults.fail_next("remove", Error(Code::io_failed, "read-only file system"));
    EXPECT_THAT(act_failure("DestroyVmInstance", vm).details(), HasSubstr("read-only"));
    EXPECT_EQ(state_of(vm), VmState::created);
    act("DestroyVmInstance", vm);
    expect_nothing_left(vm);
}

TEST_F(DestroyVmTest, RemovesAllAtOnceWhereThePolicyIsDirect) {
    settings.deletion_policy = "Direct";
    const VmId vm = create_vm();
    images.faults.fail_next("remove", Error(Code::io_failed, "read-only file system"));
    act_failure("DestroyVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::destroyed);
    act("DestroyVmInstance", vm);
    expect_nothing_left(vm);
}

using ExpungeVmTest = VmLife;

TEST_F(ExpungeVmTest, RemovesTheRootDiskAndLeavesDataVolumes) {
    const VmId vm = create_vm({{"dataDiskSizes", {GiB}}});
    act_failure("ExpungeVmInstance", vm);
    act("DestroyVmInstance", vm);
    act("ExpungeVmInstance", vm);
    EXPECT_FALSE(inventory.find<Vm>(vm));
    EXPECT_EQ(inventory.count<VmNic>(), 0);
    const auto volumes = inventory.list<Volume>();
    ASSERT_EQ(volumes.size(), 1u);
    EXPECT_EQ(volumes[0].type, VolumeType::data);
    EXPECT_EQ(volume_files(), std::vector<std::string>{volumes[0].install_path});
}

TEST_F(ExpungeVmTest, ThatFailsLeavesItDestroyed) {
    const VmId vm = create_vm();
    act("DestroyVmInstance", vm);
    files.faults.fail_next("remove_file", Error(Code::io_failed, "read-only file system"));
    EXPECT_THAT(act_failure("ExpungeVmInstance", vm).details(), HasSubstr("read-only"));
    EXPECT_EQ(state_of(vm), VmState::destroyed);
    act("ExpungeVmInstance", vm);
    expect_nothing_left(vm);
}

using UpdateVmTest = VmLife;

TEST_F(UpdateVmTest, GivesAStoppedVmAnotherSizeForItsNextStart) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    act("UpdateVmInstance", vm, {{"name", "db"}, {"cpuNum", 2}, {"memorySize", 2 * GiB}});
    EXPECT_EQ(record(vm).name, "db");
    act("StartVmInstance", vm);
    EXPECT_EQ(world.find(vm)->cpus, 2);
    EXPECT_EQ(world.find(vm)->memory, 2 * GiB);
}

TEST_F(UpdateVmTest, LetsARunningVmGrowOnlyWhereThatIsAllowed) {
    const VmId vm = create_vm();
    EXPECT_THAT(act_failure("UpdateVmInstance", vm, {{"cpuNum", 2}}).details(), HasSubstr("[vm] hotplug"));
    settings.hotplug = true;
    EXPECT_EQ(act_failure("UpdateVmInstance", vm, {{"cpuNum", 2}}).code(), Code::no_capability);
    EXPECT_EQ(record(vm).cpus, 1);
    world.give_room_for_growth();
    act("UpdateVmInstance", vm, {{"cpuNum", 2}, {"memorySize", 2 * GiB}});
    EXPECT_EQ(world.find(vm)->cpus, 2);
    EXPECT_EQ(record(vm).memory, 2 * GiB);
    EXPECT_THAT(act_failure("UpdateVmInstance", vm, {{"cpuNum", 1}}).details(), HasSubstr("can only grow"));
    EXPECT_EQ(act_failure("UpdateVmInstance", vm, {{"memorySize", 33 * GiB}}).code(), Code::no_available_host);
    EXPECT_EQ(record(vm).memory, 2 * GiB);
}

TEST_F(UpdateVmTest, RecordsTheCpusThatGrewBeforeTheMemoryWasRefused) {
    settings.hotplug = true;
    world.give_room_for_growth();
    const VmId vm = create_vm();
    world.faults.fail_next("set_live_memory", Error(Code::no_capability, "no slot"));
    EXPECT_THAT(act_failure("UpdateVmInstance", vm, {{"cpuNum", 2}, {"memorySize", 2 * GiB}}).details(),
                HasSubstr("no slot"));
    EXPECT_EQ(record(vm).cpus, 2);
    EXPECT_EQ(record(vm).memory, GiB);
}

TEST_F(UpdateVmTest, CannotWriteAState) {
    const VmId vm = create_vm();
    EXPECT_THAT(act_failure("UpdateVmInstance", vm, {{"state", "Stopped"}}).details(), HasSubstr("StopVmInstance"));
    act("UpdateVmInstance", vm, {{"state", "Running"}});
    EXPECT_THAT(act_failure("UpdateVmInstance", vm, {{"reservedMemorySize", 2 * GiB}}).details(),
                HasSubstr("must not exceed"));
}

TEST_F(UpdateVmTest, HeedsTheHaLevelAtOnce) {
    const VmId vm = create_vm();
    act("StopVmInstance", vm);
    std::vector<VmId> considered;
    services->consider_ha = [&](const VmId& one) { considered.push_back(one); };
    act("SetVmInstanceHaLevel", vm, {{"level", "NeverStop"}});
    EXPECT_EQ(considered, std::vector<VmId>{vm});
    EXPECT_TRUE(record(vm).should_run);
    EXPECT_EQ(act("GetVmInstanceHaLevel", vm)["level"], "NeverStop");
    EXPECT_THAT(act_failure("SetVmInstanceHaLevel", vm, {{"level", "FaultTolerance"}}).details(),
                HasSubstr("FaultTolerance"));
    act("DeleteVmInstanceHaLevel", vm);
    EXPECT_FALSE(act("GetVmInstanceHaLevel", vm).contains("level"));
}

}  // namespace
}  // namespace hvagent::operations
