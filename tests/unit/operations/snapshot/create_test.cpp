#include "agent/operations/snapshot/creation.h"

#include "tests/unit/operations/snapshot/snapshot_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class CreateSnapshotTest : public Snapshots {
protected:
    json request(const SnapshotId& id) { return {{"volumeUuid", volume.str()}, {"name", "s"}, {"resourceUuid", id.str()}}; }
    // What a daemon leaves that dies in the middle.
    VolumeSnapshot leave_creating(const SnapshotId& id) {
        VolumeSnapshot half;
        half.uuid = id;
        half.name = "half";
        half.volume = volume;
        half.tree = SnapshotTreeId::make();
        half.primary_storage = now().primary_storage;
        half.install_path = active().substr(0, active().rfind('/')) + "/snapshots/" + id.str() + ".qcow2";
        half.latest = false;
        half.virtual_size = now().size;
        SnapshotTree tree;
        tree.uuid = half.tree;
        tree.volume = volume;
        tree.current = false;
        inventory.insert(tree);
        inventory.insert(half);
        return half;
    }
};

TEST_F(CreateSnapshotTest, OfARunningVmSwitchesItsQemu) {
    have_vm(true);
    world.connect_guest_agent(vm, true);
    const std::string first = active();
    const json answer = call("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}});
    EXPECT_EQ(answer["quiesced"], true);
    EXPECT_EQ(answer["inventory"]["primaryStorageInstallPath"], first);
    EXPECT_EQ(answer["inventory"]["status"], "Ready");
    EXPECT_EQ(answer["inventory"]["latest"], true);
    EXPECT_FALSE(answer["inventory"].contains("parentUuid"));
    EXPECT_THAT(active(), HasSubstr("/snapshots/" + answer["inventory"]["uuid"].get<std::string>() + ".qcow2"));
    EXPECT_EQ(live_path(), active());
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, OfAStoppedVmMakesAnOverlay) {
    have_vm(false);
    const std::string first = active();
    const SnapshotId one = take(), two = take();
    EXPECT_EQ(snapshot(one).install_path, first);
    EXPECT_FALSE(snapshot(one).latest);
    EXPECT_EQ(snapshot(two).parent, one);
    EXPECT_EQ(snapshot(two).tree, snapshot(one).tree);
    EXPECT_EQ(snapshot(two).distance, 2);
    EXPECT_TRUE(snapshot(two).latest);
    expect_files_and_records_agree();
    act("StartVmInstance", vm);
    EXPECT_EQ(live_path(), active());
}

TEST_F(CreateSnapshotTest, RefusesVolumesThatCannotBeFrozen) {
    have_vm(false);
    const std::vector<std::function<void(Volume&)>> reasons{
        [](Volume& record) { record.status = VolumeStatus::deleted; },
        [](Volume& record) { record.status = VolumeStatus::not_instantiated; },
        [](Volume& record) { record.state = EnabledState::disabled; }, [](Volume& record) { record.shareable = true; },
        [](Volume& record) { record.format = "raw"; }};
    const Volume good = now();
    for (const auto& reason : reasons) {
        inventory.modify<Volume>(volume, reason);
        EXPECT_EQ(failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}}).code(),
                  Code::operation_failed);
        inventory.modify<Volume>(volume, [&](Volume& record) { record = good; });
    }
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0);
    EXPECT_EQ(inventory.count<SnapshotTree>(), 0);
}

TEST_F(CreateSnapshotTest, RefusesWhileTheStateOfTheVmIsUnknown) {
    have_vm(true);
    world.lose_libvirt();
    EXPECT_THAT(failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}}).code(),
                testing::AnyOf(Code::vm_wrong_state, Code::host_connection));
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0);
}

TEST_F(CreateSnapshotTest, RefusesWhenTheStorageIsFull) {
    have_vm(false);
    disk.leave_only(MiB);
    EXPECT_EQ(failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}}).code(),
              Code::storage_allocate);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, LeavesNothingWhenQemuRefuses) {
    have_vm(true);
    world.faults.fail_next("freeze_layers", Error(Code::operation_failed, "QEMU says no"));
    EXPECT_THAT(failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}}).details(),
                HasSubstr("QEMU says no"));
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0);
    EXPECT_EQ(inventory.count<SnapshotTree>(), 0);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, LeavesNothingWhenTheOverlayCannotBeMade) {
    have_vm(false);
    images.faults.fail_next("create_overlay", Error(Code::io_failed, "no"));
    EXPECT_EQ(failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "s"}}).code(), Code::io_failed);
    EXPECT_EQ(inventory.count<SnapshotTree>(), 0);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, ASwitchThatWasNotAnsweredIsFoundInTheLiveChain) {
    have_vm(true);
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disks.freeze_layers(vm, {{volume, half.install_path}});
    call("CreateVolumeSnapshot", request(id), true);
    EXPECT_EQ(active(), half.install_path);
    EXPECT_EQ(snapshot(id).name, "half") << "it was made, not made again";
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AJobThatDiedBeforeTheSwitchGoesOnWithItsFile) {
    have_vm(true);
    const std::string first = active();
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disk.put(half.install_path, {"", {"qcow2", now().size, KiB, first, false, false}, KiB});  // made, not switched to
    call("CreateVolumeSnapshot", request(id), true);
    EXPECT_EQ(snapshot(id).name, "half");
    EXPECT_EQ(active(), half.install_path);
    EXPECT_EQ(snapshot(id).install_path, first);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AJobThatDiedBeforeItDidAnythingBeginsAnew) {
    have_vm(true);
    const SnapshotId id = SnapshotId::make();
    leave_creating(id);
    call("CreateVolumeSnapshot", request(id), true);
    EXPECT_EQ(snapshot(id).name, "s");
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AQemuThatDoesNotAnswerLeavesItCreatingUntilItIsSeen) {
    have_vm(true);
    world.faults.fail_next("freeze_layers", Error(Code::timeout, "QEMU is silent"));
    const Error failure = failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "silent"}});
    EXPECT_EQ(failure.code(), Code::timeout);
    EXPECT_EQ(inventory.list<VolumeSnapshot>().front().status, SnapshotStatus::creating);
    take("next");
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 1) << "nothing had been done";
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, WhatWasLeftCreatingIsSettledLaterWithoutAnybodysAsking) {
    have_vm(true);
    std::vector<std::string> told;
    services->settle_later = [&](const VmId& id) { told.push_back("open " + id.str()); };
    services->is_settled = [&](const VmId& id) { told.push_back("settled " + id.str()); };
    world.faults.fail_next("freeze_layers", Error(Code::timeout, "QEMU is silent"));
    failure_of("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", "silent"}});
    EXPECT_THAT(told, testing::ElementsAre("open " + vm.str()));
    act("SettleVmInstance", vm);
    EXPECT_THAT(told, testing::ElementsAre("open " + vm.str(), "settled " + vm.str()));
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0) << "nothing had been done";
    EXPECT_EQ(disks.let_go_of, std::vector<VmId>{vm});
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AGuestThatStaysHeldIsOwedItsLettingGo) {
    have_vm(true);
    std::vector<VmId> owed;
    services->settle_later = [&](const VmId& id) { owed.push_back(id); };
    world.faults.fail_next("let_go", Error(Code::operation_failed, "the agent is deaf"));
    take("held");
    EXPECT_EQ(owed, std::vector<VmId>{vm});
    world.faults.fail_next("let_go", Error(Code::operation_failed, "the agent is deaf"));
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disks.freeze_layers(vm, {{volume, half.install_path}});
    EXPECT_THAT(failure_of("SettleVmInstance", {{"uuid", vm.str()}}).details(), HasSubstr("deaf"));
    EXPECT_EQ(snapshot(id).status, SnapshotStatus::ready) << "this does not wait for the guest";
    act("SettleVmInstance", vm);
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 2);
}

TEST_F(CreateSnapshotTest, WhatWorksOnTheLayersSettlesFirst) {
    have_vm(true);
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disks.freeze_layers(vm, {{volume, half.install_path}});
    call("FlattenVolume", {{"uuid", volume.str()}});
    EXPECT_EQ(active(), half.install_path) << "the guest writes there";
    EXPECT_EQ(snapshot(id).status, SnapshotStatus::ready);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AfterTheDeathOfQemuAWholeLayerIsGoneOnWith) {
    have_vm(true);
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disks.freeze_layers(vm, {{volume, half.install_path}});
    world.kill_qemu(vm);
    world.settle();
    act("StartVmInstance", vm);
    EXPECT_EQ(live_path(), half.install_path) << "the guest's data is there";
    EXPECT_EQ(active(), half.install_path);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AfterTheDeathOfQemuAHalfMadeLayerIsRemoved) {
    have_vm(true);
    const std::string first = active();
    const SnapshotId id = SnapshotId::make();
    const VolumeSnapshot half = leave_creating(id);
    disk.put(half.install_path, {"", {"qcow2", now().size, KiB, "", false, false}, KiB});  // not yet on anything
    world.kill_qemu(vm);
    world.settle();
    act("StartVmInstance", vm);
    EXPECT_EQ(live_path(), first);
    EXPECT_FALSE(inventory.find<VolumeSnapshot>(id));
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AUuidThatIsUsedAgainDoesNotNameTheActiveLayerTwice) {
    have_vm(false);
    const SnapshotId id = SnapshotId::make();
    call("CreateVolumeSnapshot", request(id));
    const std::string layer = active();
    remove(id);
    EXPECT_EQ(active(), layer);
    call("CreateVolumeSnapshot", request(id));
    EXPECT_EQ(snapshot(id).install_path, layer);
    EXPECT_NE(active(), layer);
    expect_files_and_records_agree();
}

TEST_F(CreateSnapshotTest, AChainAtItsLimitIsMergedAndANewTreeBegins) {
    for (const bool running : {false, true}) {
        have_vm(running);
        SnapshotId last;
        for (int i = 0; i < longest_tree; ++i) last = take();
        EXPECT_EQ(snapshot(last).distance, longest_tree);
        const SnapshotId next = take();
        EXPECT_EQ(snapshot(next).distance, 1);
        EXPECT_TRUE(snapshot(next).parent.empty());
        EXPECT_NE(snapshot(next).tree, snapshot(last).tree);
        EXPECT_FALSE(inventory.get<SnapshotTree>(snapshot(last).tree).current);
        EXPECT_EQ(backing_of(snapshot(next).install_path), "");
    }
}

TEST_F(CreateSnapshotTest, TagsAreKept) {
    have_vm(false);
    json sent = request(SnapshotId::make());
    sent["userTags"] = {"monthly"};
    const std::string id = call("CreateVolumeSnapshot", sent)["inventory"]["uuid"];
    EXPECT_EQ(inventory.tags_of(id, "User").size(), 1u);
}

}  // namespace
}  // namespace hvagent::operations
