#include "tests/unit/operations/volume/volume_fixture.h"

namespace hvagent::operations {
namespace {

using testing::IsEmpty;

using DeleteVolumeTest = VolumeLife;

TEST_F(DeleteVolumeTest, ItIsPutAsideAndCanBeRecovered) {
    const VolumeId id = create_ready_volume();
    EXPECT_EQ(on("DeleteDataVolume", id), json::object());
    EXPECT_EQ(volume(id).status, VolumeStatus::deleted);
    EXPECT_FALSE(files_of(id).empty());
    EXPECT_EQ(on_failure("DeleteDataVolume", id).code(), Code::operation_failed);
    EXPECT_EQ(on("RecoverDataVolume", id)["inventory"]["status"], "Ready");
    EXPECT_EQ(on_failure("RecoverDataVolume", id).code(), Code::operation_failed);
}

TEST_F(DeleteVolumeTest, OneThatNeverHadAFileHasNoneAfterwards) {
    const VolumeId id = create_volume();
    on("DeleteDataVolume", id);
    EXPECT_EQ(on("RecoverDataVolume", id)["inventory"]["status"], "NotInstantiated");
    on("DeleteDataVolume", id);
    on("ExpungeDataVolume", id);
    EXPECT_FALSE(inventory.find<Volume>(id));
}

TEST_F(DeleteVolumeTest, ItLeavesItsVmFirst) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    on("DeleteDataVolume", id);
    EXPECT_FALSE(is_plugged(vm, id));
    EXPECT_TRUE(volume(id).vm.empty());
    EXPECT_EQ(volume(id).last_vm, vm);
}

TEST_F(DeleteVolumeTest, AGuestThatKeepsItIsAFailure) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    disks.holds_disks = true;
    const Error error = outer_failure("DeleteDataVolume", {{"uuid", id.str()}});
    EXPECT_EQ(error.code(), Code::delete_failed);
    EXPECT_EQ(volume(id).status, VolumeStatus::ready);
    EXPECT_EQ(volume(id).vm, vm);
}

TEST_F(DeleteVolumeTest, ARootVolumeGoesWithItsVm) {
    const VmId vm = create_vm();
    EXPECT_EQ(on_failure("DeleteDataVolume", record(vm).root_volume).code(), Code::invalid_argument);
}

TEST_F(DeleteVolumeTest, WhatIsNotThereIsASuccess) {
    EXPECT_EQ(on("DeleteDataVolume", VolumeId::make()), json::object());
}

TEST_F(DeleteVolumeTest, AFileThatIsGoneCannotBeRecovered) {
    const VolumeId id = create_ready_volume();
    on("DeleteDataVolume", id);
    disk.remove(volume(id).install_path);
    EXPECT_EQ(on_failure("RecoverDataVolume", id).code(), Code::operation_failed);
    EXPECT_EQ(volume(id).status, VolumeStatus::deleted);
}

using ExpungeVolumeTest = VolumeLife;

TEST_F(ExpungeVolumeTest, FilesSnapshotsAndRecordsGo) {
    const VolumeId id = create_ready_volume(), other = create_ready_volume();
    const std::string directory = volume(id).install_path.substr(0, volume(id).install_path.rfind('/'));
    add_snapshot(id, directory + "/snapshots/" + make_uuid() + ".qcow2");
    add_snapshot(other, volume(other).install_path + ".frozen");
    EXPECT_EQ(on_failure("ExpungeDataVolume", id).code(), Code::operation_failed) << "not Deleted";
    on("DeleteDataVolume", id);
    on("ExpungeDataVolume", id);
    EXPECT_THAT(files_of(id), IsEmpty());
    EXPECT_FALSE(inventory.find<Volume>(id));
    EXPECT_EQ(files_of(other).size(), 2u);
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 1);
    EXPECT_EQ(inventory.count<SnapshotTree>(), 1);
    EXPECT_EQ(call("ExpungeDataVolume", {{"uuid", id.str()}}, true), json::object()) << "an earlier life did it";
}

TEST_F(ExpungeVolumeTest, LayersThatOthersLieOnStay) {
    const VolumeId id = create_ready_volume(), clone = create_ready_volume();
    FakeFile file = disk.get(volume(clone).install_path);
    file.image.backing_file = volume(id).install_path;
    disk.put(volume(clone).install_path, file);
    on("DeleteDataVolume", id);
    EXPECT_EQ(on_failure("ExpungeDataVolume", id).code(), Code::operation_failed);
    EXPECT_FALSE(files_of(id).empty());
    on("DeleteDataVolume", clone);
    on("ExpungeDataVolume", clone);
    on("ExpungeDataVolume", id);
}

TEST_F(ExpungeVolumeTest, ARootVolumesSnapshotsGoWithItsVm) {
    const VmId vm = create_vm();
    const VolumeId root = record(vm).root_volume;
    add_snapshot(root, volume(root).install_path + ".frozen");
    act("DestroyVmInstance", vm);
    act("ExpungeVmInstance", vm);
    EXPECT_EQ(inventory.count<VolumeSnapshot>(), 0);
    EXPECT_THAT(files_of(root), IsEmpty());
}

TEST_F(ExpungeVolumeTest, DataVolumesOutliveTheirVm) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    act("DestroyVmInstance", vm);
    EXPECT_EQ(volume(id).status, VolumeStatus::ready);
    EXPECT_TRUE(volume(id).vm.empty());
    EXPECT_NE(volume(id).last_detached, Time{});
    act("ExpungeVmInstance", vm);
    EXPECT_EQ(files_of(id).size(), 1u);
    attach_to(create_vm(), id);
}

using UpdateVolumeTest = VolumeLife;

TEST_F(UpdateVolumeTest, NameAndDescriptionChange) {
    const VolumeId id = create_volume({{"description", "old"}});
    const json answer = on("UpdateVolume", id, {{"name", "new"}})["inventory"];
    EXPECT_EQ(answer["name"], "new");
    EXPECT_EQ(answer["description"], "old");
}

TEST_F(UpdateVolumeTest, StatesAreOfDataVolumesThatAreThere) {
    const VolumeId id = create_volume();
    EXPECT_EQ(on("ChangeVolumeState", id, {{"stateEvent", "disable"}})["inventory"]["state"], "Disabled");
    EXPECT_EQ(on("ChangeVolumeState", id, {{"stateEvent", "enable"}})["inventory"]["state"], "Enabled");
    EXPECT_EQ(on_failure("ChangeVolumeState", id, {{"stateEvent", "maintain"}}).code(), Code::invalid_argument);
    on("DeleteDataVolume", id);
    EXPECT_EQ(on_failure("ChangeVolumeState", id, {{"stateEvent", "disable"}}).code(), Code::operation_failed);
    EXPECT_EQ(on_failure("ChangeVolumeState", record(create_vm()).root_volume, {{"stateEvent", "disable"}}).code(),
              Code::operation_failed);
}

TEST_F(UpdateVolumeTest, FormatsAndCapabilities) {
    const json formats = call("GetVolumeFormat", json::object())["formats"];
    ASSERT_EQ(formats.size(), 4u);
    EXPECT_EQ(formats[0]["format"], "qcow2");
    EXPECT_EQ(formats[0]["masterHypervisorType"], "KVM");
    EXPECT_FALSE(formats[3].contains("masterHypervisorType"));
    EXPECT_EQ(on("GetVolumeCapabilities", create_volume())["capabilities"], json::object());
    EXPECT_EQ(on("GetVolumeCapabilities", create_ready_volume())["capabilities"].size(), 2u);
}

class DirectPolicy : public VolumeLife {
protected:
    DirectPolicy() { settings.volume_deletion_policy = "Direct"; }
};

TEST_F(DirectPolicy, WhatIsDeletedIsGoneAtOnce) {
    const VolumeId id = create_ready_volume();
    on("DeleteDataVolume", id);
    EXPECT_FALSE(inventory.find<Volume>(id));
    EXPECT_THAT(files_of(id), IsEmpty());
}

}  // namespace
}  // namespace hvagent::operations
