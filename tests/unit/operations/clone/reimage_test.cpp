#include "agent/operations/snapshot/tree.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class Reimage : public VmLife {
protected:
    VmId make() { return create_vm({{"strategy", "CreateStopped"}}); }
    Volume root_of(const VmId& vm) { return inventory.get<Volume>(record(vm).root_volume); }
    static json of(const VmId& vm) { return {{"vmInstanceUuid", vm.str()}}; }
    void write(const VmId& vm) {
        FakeFile layer = disk.get(root_of(vm).install_path);
        layer.content = "written by the guest";
        disk.put(root_of(vm).install_path, layer);
    }
    // The code a client sees outermost.
    Code code_of(const json& request) {
        try {
            call("ReimageVmInstance", request);
        } catch (const Error& error) {
            return error.code();
        }
        return Code::internal;
    }
};

TEST_F(Reimage, BringsTheImageBackUnderTheSameVolume) {
    const VmId vm = make();
    const Volume before = root_of(vm);
    write(vm);
    const json shown = call("ReimageVmInstance", of(vm))["inventory"];
    const Volume after = root_of(vm);
    EXPECT_EQ(after.uuid, before.uuid);
    EXPECT_EQ(shown["allVolumes"][0]["installPath"], after.install_path);
    EXPECT_EQ(disk.get(after.install_path).content, "");
    EXPECT_THAT(disk.get(after.install_path).image.backing_file, HasSubstr("/imagecache/template/" + image));
    EXPECT_FALSE(disk.find(before.install_path));
    EXPECT_EQ(volume_files().size(), 1u);
    act("StartVmInstance", vm);
    EXPECT_EQ(world.find(vm)->spec.disks[0].path, after.install_path);
}

TEST_F(Reimage, KeepsASizeThatHasGrown) {
    const VmId vm = make();
    inventory.modify<Volume>(root_of(vm).uuid, [](Volume& root) { root.size = 5 * GiB; });
    call("ReimageVmInstance", of(vm));
    EXPECT_EQ(disk.get(root_of(vm).install_path).image.virtual_size, 5 * GiB);
}

TEST_F(Reimage, KeepsSnapshotsAndTheirFiles) {
    const VmId vm = make();
    const Volume root = root_of(vm);
    SnapshotTree tree;
    tree.uuid = SnapshotTreeId::make();
    tree.volume = root.uuid;
    VolumeSnapshot snapshot;
    snapshot.status = SnapshotStatus::ready;
    snapshot.uuid = SnapshotId::make();
    snapshot.volume = root.uuid;
    snapshot.tree = tree.uuid;
    snapshot.install_path = root.install_path;
    inventory.insert(tree);
    inventory.insert(snapshot);
    const std::string overlay = root.install_path.substr(0, root.install_path.rfind('/')) + "/snapshots/s.qcow2";
    disk.put(overlay, {"", {"qcow2", root.size, MiB, root.install_path, false, false}, MiB});
    inventory.modify<Volume>(root.uuid, [&](Volume& record) { record.install_path = overlay; });
    call("ReimageVmInstance", of(vm));
    EXPECT_TRUE(disk.find(snapshot.install_path));
    EXPECT_FALSE(disk.find(overlay));
    EXPECT_FALSE(base_snapshot(*services, root.uuid));
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 1);
}

TEST_F(Reimage, HasACodeForEachReasonWhyNot) {
    const VmId vm = make();
    act("StartVmInstance", vm);
    EXPECT_EQ(code_of(of(vm)), Code::reimage_not_stopped);
    act("StopVmInstance", vm, {{"type", "cold"}});
    inventory.modify<Volume>(root_of(vm).uuid, [](Volume& root) { root.root_image = ImageId(make_uuid()); });
    EXPECT_EQ(code_of(of(vm)), Code::reimage_without_template);
    const std::string template_image = image;
    image = add_iso();
    const VmId from_iso = create_vm({{"strategy", "CreateStopped"}, {"rootDiskSize", GiB}});
    EXPECT_EQ(code_of(of(from_iso)), Code::reimage_from_iso);
}

TEST_F(Reimage, WithoutCacheAndStoreIsWithoutTemplate) {
    const VmId vm = make();
    disk.remove(disk.get(root_of(vm).install_path).image.backing_file);
    for (const ImageRef& ref : inventory.list<ImageRef>()) disk.remove(ref.install_path);
    EXPECT_EQ(code_of(of(vm)), Code::reimage_without_template);
    EXPECT_TRUE(disk.find(root_of(vm).install_path));
}

TEST_F(Reimage, ThatFailsLeavesTheOldDisk) {
    const VmId vm = make();
    const auto before = disk.paths();
    images.faults.fail_next("create_overlay", Error(Code::storage_allocate, "No space left on device"));
    EXPECT_EQ(code_of(of(vm)), Code::storage_allocate);
    EXPECT_EQ(disk.paths(), before);
}

TEST_F(Reimage, IsNotDoneAgainInTheNextLifeWhenItWasRecorded) {
    const VmId vm = make();
    const std::string old = root_of(vm).install_path;
    FakeJob job(clock);
    run(job, "ReimageVmInstance", of(vm));
    const std::string made = root_of(vm).install_path;
    disk.put(old, image_file());  // the kill came before it was removed
    FakeJob again = job.next_life();
    run(again, "ReimageVmInstance", of(vm));
    EXPECT_EQ(root_of(vm).install_path, made);
    EXPECT_EQ(volume_files().size(), 1u);
}

}  // namespace
}  // namespace hvagent::operations
