#include "tests/unit/operations/volume/volume_fixture.h"

namespace hvagent::operations {
namespace {

using ResizeTest = VolumeLife;

TEST_F(ResizeTest, ARunningGuestSeesIt) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    images.faults.fail_next("resize", Error(Code::internal, "a QEMU has the file open"));
    EXPECT_EQ(on("ResizeDataVolume", id, {{"size", 2 * GiB}})["inventory"]["size"], 2 * GiB);
    EXPECT_EQ(disk.get(volume(id).install_path).image.virtual_size, 2 * GiB);
}

TEST_F(ResizeTest, AFileThatNobodyHasOpenIsMadeLarger) {
    const VolumeId id = create_ready_volume();
    EXPECT_EQ(on("ResizeDataVolume", id, {{"size", 1.5E9}})["inventory"]["size"], 1500000256) << "whole sectors";
    const VmId vm = create_stopped_vm();
    const VolumeId root = record(vm).root_volume;
    EXPECT_EQ(on("ResizeRootVolume", root, {{"size", 3 * GiB}, {"vmInstanceUuid", vm.str()}})["inventory"]["size"], 3 * GiB);
}

TEST_F(ResizeTest, NothingBecomesSmaller) {
    const VolumeId id = create_ready_volume();
    for (const Bytes size : {GiB, GiB - 512, Bytes{1}})
        EXPECT_EQ(on_failure("ResizeDataVolume", id, {{"size", size}}).code(), Code::invalid_argument);
    EXPECT_EQ(volume(id).size, GiB);
}

TEST_F(ResizeTest, LimitsHold) {
    const VolumeId id = create_ready_volume();
    EXPECT_EQ(on_failure("ResizeDataVolume", id, {{"size", settings.image_max_size + 512}}).code(), Code::invalid_argument);
    EXPECT_EQ(on_failure("ResizeDataVolume", id, {{"size", disk.size() + GiB}}).code(), Code::storage_allocate);
    EXPECT_EQ(volume(id).size, GiB);
}

TEST_F(ResizeTest, OnlyReadyVolumesOfTheRightTypeAndVm) {
    const VmId vm = create_vm();
    const VolumeId root = record(vm).root_volume;
    EXPECT_EQ(on_failure("ResizeDataVolume", root, {{"size", 3 * GiB}}).code(), Code::invalid_argument);
    EXPECT_EQ(on_failure("ResizeRootVolume", create_ready_volume(), {{"size", 3 * GiB}}).code(), Code::invalid_argument);
    EXPECT_EQ(on_failure("ResizeRootVolume", root, {{"size", 3 * GiB}, {"vmInstanceUuid", create_vm().str()}}).code(),
              Code::invalid_argument);
    EXPECT_EQ(on_failure("ResizeDataVolume", create_volume(), {{"size", 3 * GiB}}).code(), Code::operation_failed);
    EXPECT_EQ(on_failure("ResizeDataVolume", create_shareable(), {{"size", 3 * GiB}}).code(), Code::operation_failed);
    act("DestroyVmInstance", vm);
    EXPECT_EQ(on_failure("ResizeRootVolume", root, {{"size", 3 * GiB}}).code(), Code::operation_failed);
}

TEST_F(ResizeTest, AfterAFailureTheRecordSaysWhatTheFileHas) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    images.resize(volume(id).install_path, 2 * GiB);
    world.faults.fail_next("resize_disk", Error(Code::timeout, "libvirt did not answer"));
    EXPECT_EQ(on_failure("ResizeDataVolume", id, {{"size", 3 * GiB}}).code(), Code::timeout);
    EXPECT_EQ(volume(id).size, 2 * GiB);
}

TEST_F(ResizeTest, TheNextLifeOfTheDaemonWritesItDown) {
    const VolumeId id = create_ready_volume();
    images.resize(volume(id).install_path, 2 * GiB);
    EXPECT_EQ(call("ResizeDataVolume", {{"uuid", id.str()}, {"size", 2 * GiB}}, true)["inventory"]["size"], 2 * GiB);
    EXPECT_EQ(call("ResizeDataVolume", {{"uuid", id.str()}, {"size", 2 * GiB}}, true)["inventory"]["size"], 2 * GiB);
}

using SyncSizeTest = VolumeLife;

TEST_F(SyncSizeTest, LayersOfSnapshotsCount) {
    const VolumeId id = create_ready_volume();
    const Bytes own = disk.get(volume(id).install_path).allocated;
    add_snapshot(id, volume(id).install_path + ".frozen", 5 * MiB);
    EXPECT_EQ(on("SyncVolumeSize", id)["inventory"]["actualSize"], own + 5 * MiB);
    images.resize(volume(id).install_path, 2 * GiB);
    EXPECT_EQ(on("SyncVolumeSize", id)["inventory"]["size"], 2 * GiB);
}

TEST_F(SyncSizeTest, AVolumeWithoutAFileStaysAsItIs) {
    const VolumeId id = create_volume();
    EXPECT_EQ(on("SyncVolumeSize", id)["inventory"]["size"], GiB);
}

}  // namespace
}  // namespace hvagent::operations
