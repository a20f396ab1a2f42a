#include "tests/unit/operations/volume/volume_fixture.h"

namespace hvagent::operations {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

using CreateVolumeTest = VolumeLife;

TEST_F(CreateVolumeTest, WithoutAStorageItHasNoFile) {
    const json answer = call("CreateDataVolume", {{"name", "later"}, {"diskSize", GiB}, {"description", "d"}})["inventory"];
    EXPECT_EQ(answer["status"], "NotInstantiated");
    EXPECT_EQ(answer["state"], "Enabled");
    EXPECT_EQ(answer["type"], "Data");
    EXPECT_EQ(answer["size"], GiB);
    EXPECT_EQ(answer["isShareable"], false);
    for (const char* absent : {"installPath", "primaryStorageUuid", "vmInstanceUuid", "deviceId"})
        EXPECT_FALSE(answer.contains(absent)) << absent;
    EXPECT_THAT(volume_files(), IsEmpty());
}

TEST_F(CreateVolumeTest, WithAStorageItIsReadyAtOnce) {
    const Volume made_now = volume(create_ready_volume());
    EXPECT_EQ(made_now.status, VolumeStatus::ready);
    EXPECT_THAT(made_now.install_path, EndsWith("/dataVolumes/acct-36c27e8ff05c4780bf6d2fa65700f22e/vol-" +
                                                made_now.uuid.str() + "/" + made_now.uuid.str() + ".qcow2"));
    EXPECT_EQ(disk.get(made_now.install_path).image.virtual_size, GiB);
    EXPECT_GT(made_now.actual_size, 0);
}

TEST_F(CreateVolumeTest, TheOfferingSaysTheSizeAndMustBeEnabled) {
    const std::string offering = create("CreateDiskOffering", {{"name", "small"}, {"diskSize", 3 * MiB}});
    const Volume sized = volume(create_volume({{"diskOfferingUuid", offering}}));
    EXPECT_EQ(sized.size, 3 * MiB) << "diskSize is read only without an offering";
    EXPECT_EQ(sized.disk_offering.str(), offering);
    call("ChangeDiskOfferingState", {{"uuid", offering}, {"stateEvent", "disable"}});
    EXPECT_EQ(failure_of("CreateDataVolume", {{"name", "v"}, {"diskOfferingUuid", offering}}).code(),
              Code::operation_failed);
}

TEST_F(CreateVolumeTest, DisksConsistOfWholeSectors) {
    EXPECT_EQ(volume(create_volume({{"diskSize", 1.0E7}})).size, 10000384);
}

TEST_F(CreateVolumeTest, SizesThatMakeNoSenseAreRefused) {
    const auto refusal = [&](const json& more) {
        json request{{"name", "v"}};
        request.update(more);
        return failure_of("CreateDataVolume", request).code();
    };
    EXPECT_EQ(refusal(json::object()), Code::invalid_argument);
    EXPECT_EQ(refusal({{"diskSize", -1}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"diskSize", settings.image_max_size + 1}}), Code::invalid_argument);
    EXPECT_EQ(inventory.count<Volume>(), 0);
}

TEST_F(CreateVolumeTest, AStorageThatCannotPromiseTheSizeRefusesIt) {
    const Bytes most = disk.available();
    EXPECT_EQ(failure_of("CreateDataVolume",
                         {{"name", "v"}, {"diskSize", most + MiB}, {"primaryStorageUuid", made("primary-storage")}})
                  .code(),
              Code::storage_allocate);
    create_ready_volume({{"diskSize", most / 2}});
    EXPECT_EQ(failure_of("CreateDataVolume",
                         {{"name", "v"}, {"diskSize", most / 2 + GiB}, {"primaryStorageUuid", made("primary-storage")}})
                  .code(),
              Code::storage_allocate)
        << "what was promised to the first is not there for the second";
    EXPECT_EQ(inventory.count<Volume>(), 1);
}

TEST_F(CreateVolumeTest, AFailureLeavesNothing) {
    images.faults.fail_next("create_empty", Error(Code::storage_allocate, "No space left on device"));
    const VolumeId id = VolumeId::make();
    const Error error = outer_failure(
        "CreateDataVolume",
        {{"name", "v"}, {"diskSize", GiB}, {"primaryStorageUuid", made("primary-storage")}, {"resourceUuid", id.str()}});
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_EQ(error.cause()->code(), Code::storage_allocate);
    EXPECT_EQ(inventory.count<Volume>(), 0);
    EXPECT_THAT(files_of(id), IsEmpty());
}

TEST_F(CreateVolumeTest, TheNextLifeOfTheDaemonFinishesIt) {
    const VolumeId id = VolumeId::make();
    const json request{
        {"name", "v"}, {"diskSize", GiB}, {"primaryStorageUuid", made("primary-storage")}, {"resourceUuid", id.str()}};
    call("CreateDataVolume", request);
    // Killed before the file was written down.
    inventory.modify<Volume>(id, [](Volume& record) {
        record.status = VolumeStatus::creating;
        record.install_path.clear();
    });
    EXPECT_EQ(call("CreateDataVolume", request, true)["inventory"]["status"], "Ready");
}

TEST_F(CreateVolumeTest, TagsAreJudged) {
    const VolumeId id = create_volume(
        {{"systemTags", {"capability::virtio-scsi", "localStorage::hostUuid::" + host.str()}}, {"userTags", {"mine"}}});
    EXPECT_EQ(inventory.tags_of(id.str(), "System").size(), 2u);
    EXPECT_EQ(inventory.tags_of(id.str(), "User").size(), 1u);
    for (const std::string& tag : {std::string("what::ever"), "localStorage::hostUuid::" + make_uuid()})
        EXPECT_EQ(failure_of("CreateDataVolume", {{"name", "v"}, {"diskSize", GiB}, {"systemTags", {tag}}}).code(),
                  Code::invalid_argument);
}

TEST_F(CreateVolumeTest, AShareableVolumeIsARawFile) {
    const Volume shared = volume(create_shareable());
    EXPECT_TRUE(shared.shareable);
    EXPECT_EQ(shared.format, "raw");
    EXPECT_THAT(shared.install_path, EndsWith(".raw"));
    EXPECT_EQ(disk.get(shared.install_path).image.format, "raw");
    EXPECT_THAT(inventory.tags_of(shared.uuid.str(), "System"), IsEmpty()) << "ephemeral tags live for the call";
}

class FromTemplateTest : public VolumeLife {
protected:
    std::string add_template() {
        http.serve("http://images/disk", image_file());
        json request = image_request();
        request["mediaType"] = "DataVolumeTemplate";
        return create("AddImage", request);
    }
    json request(const std::string& from) {
        return {{"name", "copy"}, {"imageUuid", from}, {"primaryStorageUuid", made("primary-storage")}};
    }
};

TEST_F(FromTemplateTest, ItLiesOnTheCachedTemplate) {
    const std::string from = add_template();
    const json answer = call("CreateDataVolumeFromVolumeTemplate", request(from))["inventory"];
    EXPECT_EQ(answer["status"], "Ready");
    EXPECT_EQ(answer["rootImageUuid"], from);
    EXPECT_EQ(answer["size"], 2 * GiB);
    EXPECT_THAT(disk.get(answer["installPath"]).image.backing_file, HasSubstr("/imagecache/template/" + from));
}

TEST_F(FromTemplateTest, WrongImagesAndHostsAreRefused) {
    EXPECT_EQ(failure_of("CreateDataVolumeFromVolumeTemplate", request(add_image())).code(), Code::invalid_argument);
    const std::string from = add_template();
    json elsewhere = request(from);
    elsewhere["hostUuid"] = make_uuid();
    EXPECT_EQ(outer_failure("CreateDataVolumeFromVolumeTemplate", elsewhere).code(), Code::not_found);
    json shared = request(from);
    shared["systemTags"] = {"ephemeral::shareable"};
    EXPECT_EQ(failure_of("CreateDataVolumeFromVolumeTemplate", shared).code(), Code::invalid_argument);
    call("ChangeImageState", {{"uuid", from}, {"stateEvent", "disable"}});
    EXPECT_EQ(failure_of("CreateDataVolumeFromVolumeTemplate", request(from)).code(), Code::operation_failed);
    EXPECT_EQ(inventory.count<Volume>(), 0);
}

class FromSnapshotTest : public VolumeLife {
protected:
    FromSnapshotTest() : source(create_ready_volume()), snapshot(add_snapshot(source, frozen())) {}
    std::string frozen() { return volume(source).install_path + ".frozen"; }
    json request(const VolumeId& id = VolumeId::make()) {
        return {{"name", "copy"}, {"volumeSnapshotUuid", snapshot.str()}, {"resourceUuid", id.str()}};
    }
    const VolumeId source;
    const SnapshotId snapshot;
};

TEST_F(FromSnapshotTest, ItIsAWholeCopyThatStandsAlone) {
    const json answer = call("CreateDataVolumeFromVolumeSnapshot", request())["inventory"];
    EXPECT_EQ(answer["status"], "Ready");
    EXPECT_EQ(answer["type"], "Data");
    EXPECT_EQ(answer["primaryStorageUuid"], made("primary-storage"));
    EXPECT_EQ(answer["size"], GiB);
    EXPECT_EQ(disk.get(answer["installPath"]).image.backing_file, "");
}

TEST_F(FromSnapshotTest, ASnapshotThatIsNotReadyOrEnabledIsRefused) {
    inventory.modify<VolumeSnapshot>(snapshot, [](VolumeSnapshot& one) { one.status = SnapshotStatus::deleting; });
    EXPECT_EQ(failure_of("CreateDataVolumeFromVolumeSnapshot", request()).code(), Code::operation_failed);
    inventory.modify<VolumeSnapshot>(snapshot, [](VolumeSnapshot& one) {
        one.status = SnapshotStatus::ready;
        one.state = EnabledState::disabled;
    });
    EXPECT_EQ(failure_of("CreateDataVolumeFromVolumeSnapshot", request()).code(), Code::operation_failed);
}

TEST_F(FromSnapshotTest, ACancelledCopyLeavesNothing) {
    const VolumeId id = VolumeId::make();
    FakeJob job(clock);
    images.faults.hang("convert");
    std::thread cancel([&] {
        EXPECT_TRUE(images.faults.wait_until_hanging("convert"));
        job.cancellation().request();
    });
    EXPECT_EQ(thrown_error([&] { run(job, "CreateDataVolumeFromVolumeSnapshot", request(id)); }).code(),
              Code::job_cancelled);
    cancel.join();
    EXPECT_FALSE(inventory.find<Volume>(id));
    EXPECT_THAT(files_of(id), IsEmpty());
    EXPECT_TRUE(disk.find(frozen()));
}

}  // namespace
}  // namespace hvagent::operations
