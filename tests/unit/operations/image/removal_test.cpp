// Delete, recover and expunge.
#include "tests/unit/operations/image/image_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ImageRemoval : public Images {
protected:
    json remove(const std::string& uuid, json more = json::object()) {
        more["uuid"] = uuid;
        return call("DeleteImage", more);
    }
    static json deleted(const std::string& uuid, json more = json::object()) {
        more["imageUuid"] = uuid;
        return more;
    }
};

TEST_F(ImageRemoval, KeepsTheFileUntilTheImageIsExpunged) {
    const std::string uuid = image = add_image();
    remove(uuid);
    EXPECT_EQ(record_of(uuid).status, ImageStatus::deleted);
    EXPECT_NE(record_of(uuid).deleted_at, Time{});
    EXPECT_THAT(disk.paths(), SizeIs(1));
    EXPECT_THAT(failure_of("CreateVmInstance", vm_request({{"imageUuid", uuid}})).details(), HasSubstr("Deleted"));
    call("ExpungeImage", deleted(uuid));
    EXPECT_EQ(inventory.count<Image>(), 0);
    EXPECT_EQ(inventory.count<ImageRef>(), 0);
    EXPECT_THAT(disk.paths(), IsEmpty());
}

TEST_F(ImageRemoval, IsTakenBack) {
    const std::string uuid = add_image();
    remove(uuid);
    EXPECT_EQ(call("RecoverImage", deleted(uuid))["inventory"]["status"], "Ready");
    EXPECT_EQ(record_of(uuid).deleted_at, Time{});
    EXPECT_NO_THROW(create_vm({{"imageUuid", uuid}}));
}

TEST_F(ImageRemoval, LeavesVmsThatWereMadeFromItAlone) {
    const std::string uuid = add_image();
    const VmId vm = create_vm({{"imageUuid", uuid}});
    remove(uuid);
    call("ExpungeImage", deleted(uuid));
    EXPECT_THAT(cached(), SizeIs(1)) << "the root volume lies on it";
    act("StopVmInstance", vm);
    EXPECT_NO_THROW(act("StartVmInstance", vm));
}

TEST_F(ImageRemoval, WorksOnOneBackupStorageOnly) {
    const std::string uuid = add_to_both();
    remove(uuid, {{"backupStorageUuids", {second}}});
    EXPECT_EQ(record_of(uuid).status, ImageStatus::ready);
    EXPECT_EQ(ref_on(uuid, second).status, ImageStatus::deleted);
    call("ExpungeImage", deleted(uuid));
    EXPECT_THAT(refs(uuid), SizeIs(1));
    EXPECT_THAT(files_below("/srv/second"), IsEmpty());
    EXPECT_EQ(failure_of("ExpungeImage", deleted(uuid)).code(), Code::operation_failed);
    EXPECT_EQ(failure_of("ExpungeImage", deleted(uuid, {{"backupStorageUuids", {first()}}})).code(), Code::invalid_argument);
    EXPECT_EQ(failure_of("RecoverImage", deleted(uuid, {{"backupStorageUuids", {second}}})).code(), Code::invalid_argument);
    remove(uuid, {{"backupStorageUuids", {first()}}});
    EXPECT_EQ(record_of(uuid).status, ImageStatus::deleted);
}

TEST_F(ImageRemoval, OfWhatIsNotThereIsASuccess) {
    EXPECT_NO_THROW(remove(make_uuid()));
    const std::string uuid = add_image();
    remove(uuid);
    EXPECT_NO_THROW(remove(uuid));
    EXPECT_EQ(failure_of("RecoverImage", deleted(add_iso())).code(), Code::operation_failed);
}

TEST_F(ImageRemoval, IsRepeatedAfterACrash) {
    const std::string uuid = add_image();
    remove(uuid);
    files.faults.fail_next("list", Error(Code::io_failed, "the daemon was killed here"));
    call("ExpungeImage", deleted(uuid));
    EXPECT_EQ(call("ExpungeImage", deleted(uuid), true), json::object());
    EXPECT_EQ(inventory.count<Image>(), 0);
}

TEST_F(ImageRemoval, OfAStorageThatIsBrokenSucceedsAndSaysSoInTheLog) {
    const std::string uuid = add_image();
    remove(uuid);
    files.faults.fail_next("remove_file", Error(Code::io_failed, "disk error"));
    EXPECT_NO_THROW(call("ExpungeImage", deleted(uuid)));
    EXPECT_EQ(inventory.count<Image>(), 0);
}

TEST_F(ImageRemoval, CannotBeTakenBackWithoutItsFile) {
    const std::string uuid = add_image();
    remove(uuid);
    disk.remove(refs(uuid).at(0).install_path);
    EXPECT_THAT(failure_of("RecoverImage", deleted(uuid)).details(), HasSubstr("its file is on none"));
    EXPECT_EQ(record_of(uuid).status, ImageStatus::deleted);
}

TEST_F(ImageRemoval, TakesAnIsoOutOfDrives) {
    const VmId vm = create_vm();
    const std::string iso = add_iso();
    call("AttachIsoToVmInstance", {{"vmInstanceUuid", vm.str()}, {"isoUuid", iso}});
    EXPECT_FALSE(disks.look(vm)->cdroms.at(0).iso_path.empty());
    remove(iso);
    EXPECT_TRUE(disks.look(vm)->cdroms.at(0).iso_path.empty());
    EXPECT_EQ(inventory.count<VmCdRom>({{"isoUuid", iso}}), 0);
    call("ExpungeImage", deleted(iso));
    EXPECT_THAT(cached(), SizeIs(1)) << "of the VM's template only";
}

TEST_F(ImageRemoval, GoesOnWithoutTheDriveOnlyWhenEnforced) {
    const VmId vm = create_vm();
    const std::string iso = add_iso();
    call("AttachIsoToVmInstance", {{"vmInstanceUuid", vm.str()}, {"isoUuid", iso}});
    const auto fail = [&] { world.faults.fail_next("change_medium", Error(Code::timeout, "libvirt does not answer")); };
    fail();
    EXPECT_EQ(failure_of("DeleteImage", {{"uuid", iso}}).code(), Code::timeout);
    EXPECT_EQ(record_of(iso).status, ImageStatus::ready);
    fail();
    remove(iso, {{"deleteMode", "Enforcing"}});
    EXPECT_EQ(record_of(iso).status, ImageStatus::deleted);
    call("ExpungeImage", deleted(iso));
    EXPECT_THAT(cached(), SizeIs(2)) << "the drive still holds the ISO";
}

TEST_F(ImageRemoval, ExpungesAtOnceByPolicy) {
    settings.image_deletion_policy = "Direct";
    remove(add_image());
    EXPECT_EQ(inventory.count<Image>(), 0);
    EXPECT_THAT(disk.paths(), IsEmpty());
}

}  // namespace
}  // namespace hvagent::operations
