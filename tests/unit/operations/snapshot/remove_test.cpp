#include "tests/unit/operations/snapshot/snapshot_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class DeleteSnapshotTest : public Snapshots {
protected:
    Error removal_failure(const SnapshotId& id) { return failure_of("DeleteVolumeSnapshot", {{"uuid", id.str()}}); }
};

TEST_F(DeleteSnapshotTest, AnUnknownOneIsASuccess) {
    EXPECT_EQ(remove(SnapshotId::make()), json::object());
}

TEST_F(DeleteSnapshotTest, TheVolumeGoesOnFromWhatLiesBelow) {
    for (const bool running : {true, false}) {
        have_vm(running);
        const SnapshotId one = take("one"), two = take("two"), three = take("three");
        remove(two);
        EXPECT_FALSE(inventory.find<VolumeSnapshot>(two));
        EXPECT_FALSE(inventory.find<VolumeSnapshot>(three));
        EXPECT_TRUE(snapshot(one).latest);
        EXPECT_EQ(backing_of(active()), snapshot(one).install_path);
        expect_files_and_records_agree();
        const std::string cached = backing_of(snapshot(one).install_path);
        remove(one);
        EXPECT_EQ(backing_of(active()), cached);
        EXPECT_EQ(inventory.count<SnapshotTree>(), 0);
        expect_files_and_records_agree();
        act("DestroyVmInstance", vm);
        act("ExpungeVmInstance", vm);
    }
}

TEST_F(DeleteSnapshotTest, ABranchThatTheVolumeLeftGoesWithoutCopying) {
    have_vm(false);
    const SnapshotId one = take("one"), two = take("two"), three = take("three");
    revert(one);
    images.faults.fail_next("rebase", Error(Code::internal, "nothing is to be copied"));
    remove(two);
    EXPECT_FALSE(inventory.find<VolumeSnapshot>(three));
    EXPECT_TRUE(snapshot(one).latest);
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, IsRefusedWhileAnotherVolumeLiesOnIt) {
    have_vm(false);
    const SnapshotId one = take("one");
    take("two");
    Volume clone = now();
    clone.uuid = VolumeId::make();
    clone.vm = VmId();
    clone.install_path = active() + ".clone";
    images.create_overlay(clone.install_path, snapshot(one).install_path, "qcow2", clone.size);
    inventory.insert(clone);
    EXPECT_THAT(removal_failure(one).details(), HasSubstr(clone.uuid.str()));
    EXPECT_EQ(snapshot(one).status, SnapshotStatus::ready);
    inventory.remove<Volume>(clone.uuid);
    disk.remove(clone.install_path);
    remove(one);
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, IsRefusedBeforeACopyThatCannotFit) {
    have_vm(false);
    const SnapshotId one = take("one");
    take("two");
    const std::string layer = snapshot(one).install_path;
    FakeFile file = disk.get(layer);
    file.allocated = GiB;
    disk.put(layer, file);
    disk.leave_only(100 * MiB);
    EXPECT_EQ(removal_failure(one).code(), Code::storage_allocate);
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, AFailedMergeLeavesEverythingAsItWas) {
    have_vm(false);
    const SnapshotId one = take("one"), two = take("two");
    images.faults.fail_next("rebase", Error(Code::io_failed, "no"));
    EXPECT_EQ(removal_failure(one).code(), Code::io_failed);
    EXPECT_TRUE(snapshot(two).latest);
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, ACancelledMergeLeavesEverythingAsItWas) {
    have_vm(true);
    const SnapshotId one = take("one");
    take("two");
    FakeJob job(clock);
    world.faults.hang("pull");
    std::thread worker([&] {
        try {
            run(job, "DeleteVolumeSnapshot", {{"uuid", one.str()}});
            ADD_FAILURE() << "it was not cancelled";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), Code::job_cancelled);
        }
    });
    EXPECT_TRUE(world.faults.wait_until_hanging("pull"));
    EXPECT_EQ(snapshot(one).status, SnapshotStatus::deleting);
    job.cancellation().request();
    worker.join();
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, AVmThatDiesDuringTheMergeIsMergedOffline) {
    have_vm(true);
    const SnapshotId one = take("one");
    FakeJob job(clock);
    world.faults.hang("pull");
    std::thread worker([&] { run(job, "DeleteVolumeSnapshot", {{"uuid", one.str()}}); });
    EXPECT_TRUE(world.faults.wait_until_hanging("pull"));
    world.kill_qemu(vm);
    world.faults.release("pull");
    worker.join();
    EXPECT_FALSE(inventory.find<VolumeSnapshot>(one));
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, GoesOnWhereTheEarlierLifeStopped) {
    have_vm(false);
    const SnapshotId one = take("one");
    take("two");
    files.faults.fail_next("remove_file", Error(Code::io_failed, "the daemon died here"));
    EXPECT_EQ(removal_failure(one).code(), Code::io_failed);
    expect_files_and_records_agree();
    call("DeleteVolumeSnapshot", {{"uuid", one.str()}}, true);
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0);
    expect_files_and_records_agree();
}

TEST_F(DeleteSnapshotTest, OfADetachedVolumeWorksOffline) {
    have_vm(false);
    const SnapshotId one = take("one");
    inventory.modify<Volume>(volume, [](Volume& record) { record.vm = VmId(); });
    remove(one);
    expect_files_and_records_agree();
}

}  // namespace
}  // namespace hvagent::operations
