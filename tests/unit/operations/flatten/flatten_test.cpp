#include "agent/operations/snapshot/tree.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class Flatten : public VmLife {
protected:
    // A VM with a root disk on its image and an empty data disk.
    VmId make(const std::string& strategy = "CreateStopped") {
        return create_vm({{"strategy", strategy}, {"dataDiskSizes", {GiB}}});
    }
    Volume root_of(const VmId& vm) { return inventory.get<Volume>(record(vm).root_volume); }
    bool stands_alone(const VmId& vm) { return disk.get(root_of(vm).install_path).image.backing_file.empty(); }
    // As a snapshot does it: the active layer is frozen, and an overlay is written to.
    void put_overlay(const VmId& vm, Bytes allocated) {
        const Volume root = root_of(vm);
        VolumeSnapshot snapshot;
        snapshot.status = SnapshotStatus::ready;
        snapshot.uuid = SnapshotId::make();
        snapshot.volume = root.uuid;
        snapshot.tree = SnapshotTreeId::make();
        snapshot.install_path = root.install_path;
        SnapshotTree tree;
        tree.uuid = snapshot.tree;
        tree.volume = root.uuid;
        const std::string overlay =
            root.install_path.substr(0, root.install_path.rfind('/')) + "/snapshots/" + snapshot.uuid.str() + ".qcow2";
        disk.put(overlay, {"", {"qcow2", root.size, allocated, root.install_path, false, false}, allocated});
        inventory.transaction([&] {
            inventory.insert(tree);
            inventory.insert(snapshot);
            inventory.modify<Volume>(root.uuid, [&](Volume& record) { record.install_path = overlay; });
        });
    }
    json flatten(const VmId& vm, const json& more = json::object()) { return act("FlattenVmInstance", vm, more); }
};

TEST_F(Flatten, OfARunningVmPullsEverythingIntoTheActiveLayer) {
    const VmId vm = make("InstantStart");
    const std::string path = root_of(vm).install_path;
    const json shown = flatten(vm)["inventory"];
    EXPECT_TRUE(stands_alone(vm));
    EXPECT_EQ(root_of(vm).install_path, path);
    EXPECT_EQ(shown["allVolumes"][0]["actualSize"], disk.get(path).allocated);
}

TEST_F(Flatten, OfAStoppedVmGoesIntoANewFileAndTheOldLayerGoes) {
    const VmId vm = make();
    const std::string old = root_of(vm).install_path;
    flatten(vm);
    EXPECT_TRUE(stands_alone(vm));
    EXPECT_NE(root_of(vm).install_path, old);
    EXPECT_FALSE(disk.find(old));
    EXPECT_EQ(volume_files().size(), 2u);
    act("StartVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_F(Flatten, CopiesInPlaceWhenTheActiveLayerHoldsNearlyAll) {
    const VmId vm = make();
    inventory.modify<Volume>(root_of(vm).uuid, [](Volume& root) { root.size = GiB; });
    put_overlay(vm, GiB);
    const std::string path = root_of(vm).install_path;
    flatten(vm);
    EXPECT_EQ(root_of(vm).install_path, path);
    EXPECT_TRUE(stands_alone(vm));
}

TEST_F(Flatten, CopiesInPlaceWhereThereIsNoRoomForASecondFile) {
    const VmId vm = make();
    FakeFile layer = disk.get(root_of(vm).install_path);
    layer.allocated = layer.image.actual_size = 100 * MiB;
    disk.put(root_of(vm).install_path, layer);
    disk.leave_only(64 * MiB);
    const std::string path = root_of(vm).install_path;
    flatten(vm);
    EXPECT_EQ(root_of(vm).install_path, path);
    EXPECT_TRUE(stands_alone(vm));
}

TEST_F(Flatten, KeepsSnapshotsAndLeavesTheirTree) {
    const VmId vm = make();
    put_overlay(vm, MiB);
    const VolumeSnapshot snapshot = inventory.list<VolumeSnapshot>().front();
    ASSERT_TRUE(base_snapshot(*services, snapshot.volume));
    flatten(vm);
    EXPECT_FALSE(base_snapshot(*services, snapshot.volume));
    EXPECT_TRUE(disk.find(snapshot.install_path));
    EXPECT_TRUE(inventory.find<VolumeSnapshot>(snapshot.uuid));
    EXPECT_TRUE(stands_alone(vm));
}

TEST_F(Flatten, OfTheRootOnlyLeavesDataVolumes) {
    const VmId vm = make();
    const Volume data = volumes_of(vm)[1];
    disk.put("/base", {"", {"qcow2", GiB, MiB, "", false, false}, MiB});
    FakeFile layer = disk.get(data.install_path);
    layer.image.backing_file = "/base";
    disk.put(data.install_path, layer);
    flatten(vm, {{"full", "false"}});
    EXPECT_TRUE(stands_alone(vm));
    EXPECT_EQ(disk.get(data.install_path).image.backing_file, "/base");
    flatten(vm);
    EXPECT_EQ(disk.get(inventory.get<Volume>(data.uuid).install_path).image.backing_file, "");
}

TEST_F(Flatten, DryRunPredictsAndChangesNothing) {
    const VmId vm = make();
    const std::string path = root_of(vm).install_path;
    const Bytes before = disk.get(path).allocated;
    const json answer = flatten(vm, {{"dryRun", true}});
    ASSERT_EQ(answer["estimates"].size(), 2u);
    const json& root = answer["estimates"][0];
    EXPECT_EQ(root["volumeUuid"], root_of(vm).uuid.str());
    EXPECT_EQ(root["bytesToCopy"], MiB);
    EXPECT_EQ(root["resultingSize"], before + MiB);
    EXPECT_EQ(root["fits"], true);
    EXPECT_EQ(answer["inventory"]["allVolumes"][0]["actualSize"], before + MiB);
    EXPECT_EQ(answer["estimates"][1]["bytesToCopy"], 0);
    EXPECT_FALSE(stands_alone(vm));
    EXPECT_EQ(root_of(vm).install_path, path);
    EXPECT_EQ(root_of(vm).actual_size, before);
}

TEST_F(Flatten, IsRefusedBeforeItBeginsWhenItCannotFit) {
    const VmId vm = make();
    disk.leave_only(10 * MiB);
    EXPECT_EQ(flatten(vm, {{"dryRun", true}})["estimates"][0]["fits"], false);
    const Error error = act_failure("FlattenVmInstance", vm);
    EXPECT_EQ(error.code(), Code::volume_flatten);
    ASSERT_TRUE(error.cause());
    EXPECT_EQ(error.cause()->code(), Code::storage_allocate);
    EXPECT_FALSE(stands_alone(vm));
}

TEST_F(Flatten, LeavesEverythingAsItWasWhenTheCopyFails) {
    const VmId vm = make();
    const std::string path = root_of(vm).install_path;
    const auto files_before = disk.paths();
    images.faults.fail_next("convert", Error(Code::storage_allocate, "No space left on device"));
    const Error error = act_failure("FlattenVmInstance", vm);
    EXPECT_EQ(error.code(), Code::volume_flatten);
    EXPECT_EQ(root_of(vm).install_path, path);
    EXPECT_EQ(disk.paths(), files_before);
}

TEST_F(Flatten, WhatIsFlatIsLeftAlone) {
    const VmId vm = make();
    flatten(vm);
    const std::string path = root_of(vm).install_path;
    images.faults.fail_next("convert", Error(Code::io_failed, "must not be called"));
    flatten(vm);
    EXPECT_EQ(root_of(vm).install_path, path);
}

TEST_F(Flatten, IsNotAllowedForAVmThatWasOnlyRecorded) {
    const VmId vm = create_vm({{"strategy", "JustCreate"}});
    EXPECT_EQ(act_failure("FlattenVmInstance", vm).code(), Code::vm_wrong_state);
}

TEST_F(Flatten, OfOneVolumeWorksAttachedAndDetached) {
    const VmId vm = make();
    const json answer = call("FlattenVolume", {{"uuid", root_of(vm).uuid.str()}});
    EXPECT_EQ(answer["inventory"]["uuid"], root_of(vm).uuid.str());
    EXPECT_TRUE(stands_alone(vm));
    const Volume data = volumes_of(vm)[1];
    inventory.modify<Volume>(data.uuid, [](Volume& record) { record.vm = VmId(); });
    EXPECT_NO_THROW(call("FlattenVolume", {{"uuid", data.uuid.str()}}));
    inventory.modify<Volume>(data.uuid, [](Volume& record) { record.shareable = true; });
    EXPECT_THAT(failure_of("FlattenVolume", {{"uuid", data.uuid.str()}}).details(), HasSubstr("shareable"));
}

class FlattenInLives : public Flatten {
protected:
    FakeJob job{clock};
    json request(const VmId& vm) { return {{"uuid", vm.str()}}; }
};

TEST_F(FlattenInLives, CancelledItLeavesTheChainAsItWas) {
    const VmId vm = make();
    const auto files_before = disk.paths();
    images.faults.hang("convert");
    std::thread runs([&] { EXPECT_THROW(run(job, "FlattenVmInstance", request(vm)), Error); });
    ASSERT_TRUE(images.faults.wait_until_hanging("convert"));
    job.cancellation().request();
    runs.join();
    EXPECT_EQ(disk.paths(), files_before);
    EXPECT_FALSE(stands_alone(vm));
}

TEST_F(FlattenInLives, AKillBeforeTheRecordThrowsTheNewFileAway) {
    const VmId vm = make();
    const Volume before = root_of(vm);
    run(job, "FlattenVmInstance", request(vm));
    const std::string made = root_of(vm).install_path;
    // As if the kill had come when the file was whole, but not recorded; its content is of no use any more.
    FakeFile layer = disk.get(made);
    layer.content = "stale";
    disk.put(made, layer);
    disk.put(before.install_path, image_file());
    inventory.modify<Volume>(before.uuid, [&](Volume& record) { record.install_path = before.install_path; });
    FakeJob again = job.next_life();
    run(again, "FlattenVmInstance", request(vm));
    EXPECT_TRUE(stands_alone(vm));
    EXPECT_NE(disk.get(root_of(vm).install_path).content, "stale");
    EXPECT_EQ(volume_files().size(), 2u);
}

TEST_F(FlattenInLives, AKillAfterTheRecordOnlyRemovesTheOldLayer) {
    const VmId vm = make();
    const Volume before = root_of(vm);
    run(job, "FlattenVmInstance", request(vm));
    const std::string made = root_of(vm).install_path;
    disk.put(before.install_path, image_file());
    FakeJob again = job.next_life();
    run(again, "FlattenVmInstance", request(vm));
    EXPECT_EQ(root_of(vm).install_path, made);
    EXPECT_FALSE(disk.find(before.install_path));
    EXPECT_EQ(volume_files().size(), 2u);
}

TEST_F(FlattenInLives, AVmThatGoesOffMeanwhileIsFlattenedOffline) {
    const VmId vm = make("InstantStart");
    world.faults.hang("pull");
    std::thread runs([&] { run(job, "FlattenVmInstance", request(vm)); });
    ASSERT_TRUE(world.faults.wait_until_hanging("pull"));
    world.domains().happen(vm, [&](FakeDomain& domain) { world.domains().change(domain, VmState::stopped, "shutdown"); });
    world.faults.release("pull");
    runs.join();
    EXPECT_TRUE(stands_alone(vm));
}

// The file says that it stands alone, but where its data lies may have died with QEMU.
TEST_F(FlattenInLives, AQemuThatDiesAtTheEndLeavesTheRecordAndSaysSo) {
    const VmId vm = make("InstantStart");
    put_overlay(vm, MiB);
    const Volume before = root_of(vm);
    world.faults.hang("pull");
    std::thread runs([&] {
        EXPECT_THAT(thrown_error([&] { run(job, "FlattenVmInstance", request(vm)); }).details(), HasSubstr("died before"));
    });
    ASSERT_TRUE(world.faults.wait_until_hanging("pull"));
    FakeFile layer = disk.get(before.install_path);
    layer.image.backing_file.clear();
    disk.put(before.install_path, layer);
    world.domains().happen(vm, [&](FakeDomain& domain) { world.domains().change(domain, VmState::crashed, "crashed"); });
    world.faults.release("pull");
    runs.join();
    EXPECT_TRUE(base_snapshot(*services, before.uuid).has_value());
    FakeJob again = job.next_life();
    EXPECT_THAT(thrown_error([&] { run(again, "FlattenVmInstance", request(vm)); }).details(), HasSubstr("died before"));
}

}  // namespace
}  // namespace hvagent::operations
