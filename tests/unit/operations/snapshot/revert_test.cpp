#include "tests/unit/operations/snapshot/snapshot_fixture.h"

namespace hvagent::operations {
namespace {

class RevertVolumeTest : public Snapshots {
protected:
    Error revert_failure(const SnapshotId& id) { return failure_of("RevertVolumeFromSnapshot", {{"uuid", id.str()}}); }
};

TEST_F(RevertVolumeTest, OpensANewLayerOnTheSnapshotAndRemovesTheOldOne) {
    have_vm(false);
    const SnapshotId one = take("one"), two = take("two");
    const std::string old = active();
    EXPECT_EQ(revert(one), json::object());
    EXPECT_FALSE(disk.find(old));
    EXPECT_EQ(backing_of(active()), snapshot(one).install_path);
    EXPECT_TRUE(snapshot(one).latest);
    EXPECT_FALSE(snapshot(two).latest);
    expect_files_and_records_agree();
    const SnapshotId branch = take("branch");
    EXPECT_EQ(snapshot(branch).parent, one);
    EXPECT_EQ(snapshot(branch).distance, 2);
    expect_files_and_records_agree();
}

TEST_F(RevertVolumeTest, GivesTheSizeOfThatTime) {
    have_vm(false);
    const Bytes before = now().size;
    const SnapshotId one = take();
    images.resize(active(), before + GiB);
    inventory.modify<Volume>(volume, [&](Volume& record) { record.size = before + GiB; });
    revert(one);
    EXPECT_EQ(now().size, before);
    EXPECT_EQ(disk.get(active()).image.virtual_size, before);
}

TEST_F(RevertVolumeTest, IsRefusedWhileTheVmRuns) {
    have_vm(true);
    const SnapshotId one = take();
    EXPECT_EQ(revert_failure(one).code(), Code::vm_wrong_state);
    act("PauseVmInstance", vm);
    EXPECT_EQ(revert_failure(one).code(), Code::vm_wrong_state);
    expect_files_and_records_agree();
}

TEST_F(RevertVolumeTest, IsRefusedForSnapshotsThatAreNotReadyOrDisabled) {
    have_vm(false);
    const SnapshotId one = take();
    inventory.modify<VolumeSnapshot>(one, [](VolumeSnapshot& record) { record.status = SnapshotStatus::deleting; });
    EXPECT_EQ(revert_failure(one).code(), Code::snapshot_wrong_status);
    inventory.modify<VolumeSnapshot>(one, [](VolumeSnapshot& record) {
        record.status = SnapshotStatus::ready;
        record.state = EnabledState::disabled;
    });
    EXPECT_EQ(revert_failure(one).code(), Code::operation_failed);
}

TEST_F(RevertVolumeTest, AFailureLeavesTheVolumeWhereItWas) {
    have_vm(false);
    const SnapshotId one = take("one"), two = take("two");
    const std::string old = active();
    images.faults.fail_next("create_overlay", Error(Code::storage_allocate, "full"));
    EXPECT_EQ(revert_failure(one).code(), Code::storage_allocate);
    EXPECT_EQ(active(), old);
    EXPECT_TRUE(snapshot(two).latest);
    expect_files_and_records_agree();
}

TEST_F(RevertVolumeTest, TheNextLifeRemovesWhatTheFirstLeft) {
    have_vm(false);
    const SnapshotId one = take("one");
    const std::string old = active();
    FakeJob job(clock);
    files.faults.fail_next("remove_file", Error(Code::io_failed, "the daemon died here"));
    EXPECT_THROW(run(job, "RevertVolumeFromSnapshot", {{"uuid", one.str()}}), Error);
    EXPECT_TRUE(disk.find(old));
    const std::string made = active();
    FakeJob again = job.next_life();
    run(again, "RevertVolumeFromSnapshot", {{"uuid", one.str()}});
    EXPECT_EQ(active(), made) << "what was written since is not lost a second time";
    EXPECT_FALSE(disk.find(old));
    expect_files_and_records_agree();
}

TEST_F(RevertVolumeTest, BringsATreeBackThatWasLeft) {
    have_vm(false);
    const SnapshotId one = take("one");
    inventory.modify<SnapshotTree>(snapshot(one).tree, [](SnapshotTree& record) { record.current = false; });
    inventory.modify<VolumeSnapshot>(one, [](VolumeSnapshot& record) { record.latest = false; });
    revert(one);
    EXPECT_TRUE(inventory.get<SnapshotTree>(snapshot(one).tree).current);
    expect_files_and_records_agree();
}

}  // namespace
}  // namespace hvagent::operations
