// What is said about an image, and where templates can go.
#include "tests/unit/operations/image/image_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ImageUpdate : public Images {
protected:
    json update(const std::string& uuid, json more) {
        more["uuid"] = uuid;
        return call("UpdateImage", more)["inventory"];
    }
    Error refusal(const std::string& uuid, json more) {
        more["uuid"] = uuid;
        return failure_of("UpdateImage", more);
    }
};

TEST_F(ImageUpdate, ChangesWhatIsGivenAndNothingElse) {
    const std::string uuid = add_image();
    json expected = only("QueryImage");
    json after = update(uuid, {{"name", "other"}, {"platform", "Windows"}, {"virtio", false}});
    expected.update({{"name", "other"}, {"platform", "Windows"}, {"virtio", false}});
    for (json* one : {&expected, &after}) one->erase("lastOpDate");
    EXPECT_EQ(after, expected);
}

TEST_F(ImageUpdate, RefusesAFormatThatTheFileDoesNotHave) {
    EXPECT_THAT(refusal(add_image(), {{"format", "raw"}}).details(), HasSubstr("is qcow2"));
    http.serve("http://images/disk", image_file("raw"));
    const std::string raw = create("AddImage", image_request("raw"));
    EXPECT_THAT(refusal(raw, {{"format", "qcow2"}}).details(), HasSubstr("is raw"));
    EXPECT_THAT(refusal(raw, {{"mediaType", "ISO"}}).details(), HasSubstr("do not go together"));
    EXPECT_EQ(update(raw, {{"mediaType", "ISO"}, {"format", "iso"}})["format"], "iso");
    EXPECT_EQ(update(raw, {{"mediaType", "DataVolumeTemplate"}, {"format", "raw"}})["mediaType"], "DataVolumeTemplate");
}

TEST_F(ImageUpdate, KeepsADisabledImageFromBeingUsed) {
    const std::string uuid = add_image();
    EXPECT_EQ(call("ChangeImageState", {{"uuid", uuid}, {"stateEvent", "disable"}})["inventory"]["state"], "Disabled");
    EXPECT_THAT(failure_of("CreateVmInstance", vm_request({{"imageUuid", uuid}})).details(), HasSubstr("is Disabled"));
    call("ChangeImageState", {{"uuid", uuid}, {"stateEvent", "enable"}});
    EXPECT_NO_THROW(create_vm({{"imageUuid", uuid}}));
}

TEST_F(ImageUpdate, ReadsTheSizesAgain) {
    const std::string uuid = add_image();
    const std::string path = refs(uuid).at(0).install_path;
    FakeFile file = disk.get(path);
    file.image.virtual_size = 3 * GiB;
    file.image.actual_size = 2 * MiB;
    disk.put(path, file);
    const json after = call("SyncImageSize", {{"uuid", uuid}})["inventory"];
    EXPECT_EQ(after["size"], 3 * GiB);
    EXPECT_EQ(after["actualSize"], 2 * MiB);
    disk.remove(path);
    EXPECT_THAT(failure_of("SyncImageSize", {{"uuid", uuid}}).details(), HasSubstr(path + " is gone"));
    call("DeleteImage", {{"uuid", uuid}});
    EXPECT_THAT(failure_of("SyncImageSize", {{"uuid", uuid}}).details(), HasSubstr("Ready on no backup storage"));
}

TEST_F(ImageUpdate, SaysWhetherTheGuestAgentIsThere) {
    const std::string uuid = add_image();
    const auto enabled = [&] { return call("GetImageQga", {{"uuid", uuid}})["enable"].get<bool>(); };
    EXPECT_FALSE(enabled());
    for (int i = 0; i < 2; ++i) call("SetImageQga", {{"uuid", uuid}, {"enable", true}});
    EXPECT_TRUE(enabled());
    const VmId vm = create_vm({{"imageUuid", uuid}});
    EXPECT_TRUE(inventory.system_tag(vm.str(), "qemuga")) << "VMs inherit it";
    call("SetImageQga", {{"uuid", uuid}, {"enable", false}});
    EXPECT_FALSE(enabled());
}

TEST_F(ImageUpdate, FindsStoragesForTemplates) {
    const std::string volume = record(create_vm()).root_volume.str();
    const auto candidates = [&](const json& of) {
        return call("GetCandidateBackupStorageForCreatingImage", of)["inventories"];
    };
    EXPECT_THAT(candidates({{"volumeUuid", volume}}), SizeIs(2));
    inventory.modify<BackupStorage>(BackupStorageId(second), [](BackupStorage& s) { s.state = EnabledState::disabled; });
    EXPECT_THAT(candidates({{"volumeUuid", volume}}), SizeIs(1));
    const VolumeId empty = add_volume("");
    EXPECT_THAT(candidates({{"volumeUuid", empty.str()}}), IsEmpty());
    EXPECT_EQ(failure_of("GetCandidateBackupStorageForCreatingImage", json::object()).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace hvagent::operations
