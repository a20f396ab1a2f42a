// Templates of volumes and snapshots.
#include "tests/unit/operations/image/image_fixture.h"

namespace hvagent::operations {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Templates : public Images {
protected:
    Templates() {
        vm = create_vm();
        before = disk.paths();
    }
    json request(const json& more = json::object()) {
        json wanted{{"name", "template"}, {"rootVolumeUuid", record(vm).root_volume.str()}};
        wanted.update(more);
        return wanted;
    }
    json make(const json& more = json::object()) {
        return call("CreateRootVolumeTemplateFromRootVolume", request(more))["inventory"];
    }
    Error failure(const json& more = json::object()) {
        const Error error = failure_of("CreateRootVolumeTemplateFromRootVolume", request(more));
        EXPECT_EQ(inventory.count<Image>(), 1) << "only the VM's own image";
        EXPECT_EQ(disk.paths(), before);
        return error;
    }
    FakeFile file_of(const json& made_image) { return disk.get(refs(made_image["uuid"]).at(0).install_path); }
    SnapshotId add_snapshot(const std::function<void(VolumeSnapshot&)>& change = {}) {
        const Volume root = root_of(vm);
        VolumeSnapshot snapshot;
        snapshot.uuid = SnapshotId::make();
        snapshot.name = "snap";
        snapshot.volume = root.uuid;
        snapshot.primary_storage = root.primary_storage;
        snapshot.install_path = root.install_path;
        snapshot.status = SnapshotStatus::ready;
        if (change) change(snapshot);
        inventory.insert(snapshot);
        return snapshot.uuid;
    }

    VmId vm;
    std::vector<std::string> before;
};

TEST_F(Templates, OfAStoppedVmStandAlone) {
    act("StopVmInstance", vm);
    const json copy = make({{"description", "d"}});
    EXPECT_EQ(copy["status"], "Ready");
    EXPECT_EQ(copy["mediaType"], "RootVolumeTemplate");
    EXPECT_EQ(copy["format"], "qcow2");
    EXPECT_EQ(copy["url"], "volume://" + record(vm).root_volume.str());
    EXPECT_EQ(copy["size"], 2 * GiB);
    EXPECT_TRUE(file_of(copy).image.backing_file.empty());
    EXPECT_NO_THROW(create_vm({{"imageUuid", copy["uuid"]}}));
}

TEST_F(Templates, OfARunningVmComeThroughQemu) {
    const std::string chain = root_of(vm).install_path;
    const json copy = make();
    EXPECT_EQ(file_of(copy).content, "copy of " + record(vm).root_volume.str());
    EXPECT_EQ(file_of(copy).image.virtual_size, 2 * GiB);
    EXPECT_EQ(root_of(vm).install_path, chain);
    EXPECT_THAT(disk.paths(), SizeIs(before.size() + 1)) << "something temporary is left";
}

TEST_F(Templates, AreLikeTheVm) {
    call("CreateSystemTag", {{"resourceType", "VmInstanceVO"}, {"resourceUuid", vm.str()}, {"tag", "bootMode::UEFI"}});
    call("UpdateVmInstance", {{"uuid", vm.str()}, {"platform", "Windows"}, {"guestOsType", "Windows 11"}});
    const json copy = make();
    EXPECT_EQ(copy["platform"], "Windows");
    EXPECT_EQ(copy["guestOsType"], "Windows 11");
    EXPECT_EQ(inventory.system_tag(copy["uuid"], "bootMode"), "UEFI");
    const json other = make({{"platform", "Linux"}, {"systemTags", {"bootMode::Legacy"}}});
    EXPECT_EQ(other["platform"], "Linux");
    EXPECT_EQ(inventory.system_tag(other["uuid"], "bootMode"), "Legacy");
}

TEST_F(Templates, GoToTheStorageWithTheMostRoomOrToThoseThatAreNamed) {
    EXPECT_THAT(make()["backupStorageRefs"], SizeIs(1));
    const json both = make({{"backupStorageUuids", {first(), second}}});
    EXPECT_THAT(both["backupStorageRefs"], SizeIs(2));
    for (const ImageRef& ref : refs(both["uuid"])) EXPECT_TRUE(disk.find(ref.install_path));
}

TEST_F(Templates, LeaveNothingWhenTheCopyFails) {
    world.faults.fail_next("copy_disks", Error(Code::io_failed, "disk error"));
    EXPECT_EQ(failure().code(), Code::image_from_volume);
    act("StopVmInstance", vm);
    images.faults.fail_next("convert", Error(Code::storage_allocate, "No space left on device"));
    EXPECT_EQ(failure().code(), Code::image_from_volume);
}

TEST_F(Templates, AreRefusedBeforeTheCopyWhenTheyCannotFit) {
    disk.leave_only(MiB);
    world.faults.fail_next("copy_disks", Error(Code::internal, "copied all the same"));
    EXPECT_THAT(failure().details(), HasSubstr("needs up to"));
    act("StopVmInstance", vm);
    images.faults.fail_next("convert", Error(Code::internal, "copied all the same"));
    EXPECT_THAT(failure().details(), HasSubstr("needs up to"));
}

TEST_F(Templates, AreMadeAgainWhenTheDaemonDiedInTheMiddle) {
    json sent = request({{"resourceUuid", make_uuid()}});
    FakeJob job(clock);
    world.faults.hang("copy_disks");
    std::thread worker([&] {
        try {
            run(job, "CreateRootVolumeTemplateFromRootVolume", sent);
        } catch (const Error&) {}
    });
    ASSERT_TRUE(world.faults.wait_until_hanging("copy_disks"));
    job.cancellation().request(CancelReason::stopping);
    worker.join();
    world.faults.release("copy_disks");
    const ImageRef ref = refs(sent["resourceUuid"]).at(0);
    disk.put(ref.install_path + ".copying", {"half", {"qcow2", 2 * GiB, MiB, "", false, false}, MiB});
    world.faults.fail_next("abort_block_job", Error(Code::timeout, "libvirt does not answer"));
    FakeJob second_life = job.next_life();
    EXPECT_THROW(run(second_life, "CreateRootVolumeTemplateFromRootVolume", sent), Error)
        << "the job of the earlier life was not asked to end";
    FakeJob third_life(clock);
    run(third_life, "CreateRootVolumeTemplateFromRootVolume", sent);
    EXPECT_EQ(disk.get(ref.install_path).content, "copy of " + record(vm).root_volume.str());
    EXPECT_FALSE(disk.find(ref.install_path + ".copying"));
}

TEST_F(Templates, AreNotMadeOfWhatIsNotReady) {
    const VolumeId root = record(vm).root_volume;
    inventory.modify<Volume>(root, [](Volume& volume) { volume.state = EnabledState::disabled; });
    EXPECT_THAT(failure().details(), HasSubstr("is Disabled"));
    inventory.modify<Volume>(root, [](Volume& volume) {
        volume.state = EnabledState::enabled;
        volume.status = VolumeStatus::deleted;
    });
    EXPECT_THAT(failure().details(), HasSubstr("not Ready"));
    inventory.modify<Volume>(root, [](Volume& volume) { volume.status = VolumeStatus::ready; });
    EXPECT_THAT(failure({{"systemTags", {"colour::red"}}}).details(), HasSubstr("colour::red"));
}

TEST_F(Templates, OfDataVolumesAreForDataVolumes) {
    const json request{{"name", "data"}, {"volumeUuid", record(vm).root_volume.str()}};
    EXPECT_EQ(call("CreateDataVolumeTemplateFromVolume", request)["inventory"]["mediaType"], "DataVolumeTemplate");
    inventory.modify<Volume>(record(vm).root_volume, [](Volume& volume) { volume.type = VolumeType::data; });
    EXPECT_EQ(failure_of("CreateRootVolumeTemplateFromRootVolume", this->request()).code(), Code::invalid_argument);
}

TEST_F(Templates, OfSnapshotsSayWhereTheyFailed) {
    const auto make_from = [&](const SnapshotId& snapshot) {
        return call("CreateRootVolumeTemplateFromVolumeSnapshot",
                    {{"name", "t"}, {"snapshotUuid", snapshot.str()}, {"backupStorageUuids", {first(), second}}});
    };
    const SnapshotId snapshot = add_snapshot();
    json answer = make_from(snapshot);
    EXPECT_EQ(answer["inventory"]["url"], "volumeSnapshot://" + snapshot.str());
    EXPECT_EQ(answer["failures"], json::array());
    files.faults.fail_next("copy", Error(Code::io_failed, "disk error"));
    answer = make_from(snapshot);
    ASSERT_THAT(answer["failures"], SizeIs(1));
    EXPECT_EQ(answer["failures"][0]["backupStorageUuid"], second);
    EXPECT_THAT(answer["failures"][0]["error"]["details"], HasSubstr("disk error"));
    EXPECT_EQ(ref_on(answer["inventory"]["uuid"], second).status, ImageStatus::error);
}

TEST_F(Templates, AreNotMadeOfSnapshotsThatAreNotReady) {
    const auto why = [&](const SnapshotId& snapshot) {
        return failure_of("CreateRootVolumeTemplateFromVolumeSnapshot",
                          {{"name", "t"}, {"snapshotUuid", snapshot.str()}, {"backupStorageUuids", {first()}}})
            .details();
    };
    EXPECT_THAT(why(add_snapshot([](auto& s) { s.status = SnapshotStatus::creating; })), HasSubstr("not Ready"));
    EXPECT_THAT(why(add_snapshot([](auto& s) { s.state = EnabledState::disabled; })), HasSubstr("Disabled"));
    EXPECT_THAT(why(add_snapshot([](auto& s) { s.volume_type = VolumeType::data; })), HasSubstr("not of a root volume"));
    EXPECT_EQ(disk.paths(), before);
}

}  // namespace
}  // namespace hvagent::operations
