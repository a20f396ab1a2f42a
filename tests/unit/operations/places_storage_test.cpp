#include "agent/operations/vm/creation_plan.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class Storages : public Places {
protected:
    Storages() { start(); }
    json local(const std::string& url) { return {{"name", "fast"}, {"url", url}, {"zoneUuid", made("zone")}}; }
    json store(const std::string& url, const std::string& hostname = "localhost") {
        return {{"name", "more images"}, {"url", url},           {"hostname", hostname},
                {"username", "root"},    {"password", "secret"}, {"importImages", false}};
    }
};

TEST_F(Storages, PromisesOfVolumesCountAgainstTheCapacity) {
    add_volume(made("primary-storage"), 30 * GiB);
    const json storage = only("QueryPrimaryStorage", {"status=Connected"});
    EXPECT_EQ(storage["totalCapacity"], 100 * GiB);
    EXPECT_EQ(storage["availableCapacity"], 70 * GiB);
    EXPECT_EQ(storage["availablePhysicalCapacity"], 100 * GiB);
    EXPECT_EQ(storage["mountPath"], storage["url"]);
    const json asked = call("GetPrimaryStorageCapacity", {{"clusterUuids", made("cluster")}});
    EXPECT_EQ(asked["availableCapacity"], 70 * GiB);
    EXPECT_EQ(call("GetPrimaryStorageCapacity", {{"zoneUuids", {made("zone")}}}), asked);
    EXPECT_EQ(call("GetPrimaryStorageCapacity", {{"primaryStorageUuids", {made("primary-storage")}}}), asked);
    EXPECT_EQ(call("GetPrimaryStorageCapacity", {{"all", true}}), asked);
    EXPECT_THROW(call("GetPrimaryStorageCapacity", json::object()), Error);
}

TEST_F(Storages, WhatIsWrittenAlreadyIsNotCountedTwiceAndForeignFilesAreCounted) {
    const std::string path = settings.primary_path + "/rootVolumes/volume.qcow2";
    const VolumeId volume = add_volume(made("primary-storage"), 30 * GiB);
    inventory.modify<Volume>(volume, [&](Volume& record) { record.install_path = path; });
    disk.put(path, {"", {"qcow2", 30 * GiB, 10 * GiB, "", false, false}, 10 * GiB});
    disk.put("/home/somebody/film", {"", {}, 20 * GiB});
    const json storage = only("QueryPrimaryStorage");
    EXPECT_EQ(storage["availablePhysicalCapacity"], 70 * GiB);
    EXPECT_EQ(storage["availableCapacity"], 50 * GiB);
}

TEST_F(Storages, AStorageThatDoesNotAnswerIsDisconnectedWithItsLastFigures) {
    query("QueryPrimaryStorage");
    files.faults.fail_next("space", Error(Code::io_failed, "stale handle"));
    const json lost = only("QueryPrimaryStorage");
    EXPECT_EQ(lost["status"], "Disconnected");
    EXPECT_EQ(lost["totalCapacity"], 100 * GiB);
    EXPECT_EQ(only("QueryPrimaryStorage")["status"], "Connected");
}

TEST_F(Storages, ReconnectSaysWhyAStorageCannotBeUsed) {
    files.faults.fail_next("prepare", Error(Code::io_failed, "read-only file system"));
    const Error error = failure_of("ReconnectPrimaryStorage", {{"uuid", made("primary-storage")}});
    EXPECT_EQ(error.details(), "read-only file system");
    EXPECT_EQ(call("ReconnectPrimaryStorage", {{"uuid", made("primary-storage")}})["inventory"]["status"], "Connected");
}

TEST_F(Storages, AStorageThatCannotBeOpenedAtStartIsDisconnected) {
    files.faults.fail_next("prepare", Error(Code::io_failed, "no such device"));
    open_storages(inventory, files);
    EXPECT_EQ(inventory.get<PrimaryStorage>(PrimaryStorageId(made("primary-storage"))).status,
              ConnectionStatus::disconnected);
    EXPECT_EQ(inventory.get<BackupStorage>(BackupStorageId(made("backup-storage"))).status, ConnectionStatus::connected);
}

TEST_F(Storages, ASecondPrimaryStorageIsMadeAttachedAndDeleted) {
    const json made_storage = call("AddLocalPrimaryStorage", local("/srv/fast/"))["inventory"];
    EXPECT_EQ(made_storage["url"], "/srv/fast");
    EXPECT_EQ(made_storage["totalCapacity"], 100 * GiB);
    const std::string uuid = made_storage["uuid"];
    const json attached =
        call("AttachPrimaryStorageToCluster", {{"primaryStorageUuid", uuid}, {"clusterUuid", made("cluster")}})["inventory"];
    EXPECT_EQ(attached["attachedClusterUuids"], json::array({made("cluster")}));
    EXPECT_EQ(
        failure_of("AttachPrimaryStorageToCluster", {{"primaryStorageUuid", uuid}, {"clusterUuid", made("cluster")}}).code(),
        Code::operation_failed);
    EXPECT_EQ(call("DeletePrimaryStorage", {{"uuid", uuid}}), json::object());
    EXPECT_EQ(query("QueryPrimaryStorage").size(), 1u);
    EXPECT_EQ(query("QueryCluster", {"primaryStorage.uuid=" + uuid}).size(), 0u);
}

TEST_F(Storages, DirectoriesOfTheSystemAndOfOtherStoragesAreRefused) {
    for (const std::string& url :
         {std::string("/"), std::string("relative"), std::string("/srv/../etc"), std::string("/etc/hvagent"),
          std::string("/proc"), std::string("/var/lib"), settings.state_directory, settings.primary_path,
          settings.primary_path + "/inside", settings.backup_path + "/images"})
        EXPECT_EQ(failure_of("AddLocalPrimaryStorage", local(url)).code(), Code::invalid_argument) << url;
    EXPECT_EQ(inventory.count<PrimaryStorage>(), 1);
}

TEST_F(Storages, ASharedStorageIsOneOnEveryHostByItsUuid) {
    json params = local("/srv/shared");
    params["resourceUuid"] = make_uuid();
    const json made_storage = call("AddSharedMountPointPrimaryStorage", params)["inventory"];
    EXPECT_EQ(made_storage["uuid"], params["resourceUuid"]);
    EXPECT_EQ(made_storage["type"], "SharedMountPoint");
    EXPECT_EQ(made_storage["url"], "/srv/shared");
    EXPECT_EQ(call("AddLocalPrimaryStorage", local("/srv/own"))["inventory"]["type"], "LocalStorage");
}

TEST_F(Storages, AStorageWithVolumesIsNotDeleted) {
    add_volume(made("primary-storage"));
    EXPECT_NE(failure_of("DeletePrimaryStorage", {{"uuid", made("primary-storage")}}).details().find("1 volume"),
              std::string::npos);
}

TEST_F(Storages, AStorageThatAVmWasPlannedOnIsNotDeleted) {
    CreationPlan plan;
    plan.storage = PrimaryStorageId(made("primary-storage"));
    plan.disks.push_back({VolumeId::make(), "root", GiB, DiskOfferingId(), ImageId(), {}});
    add_vm([&](Vm& vm) {
        vm.intent = VmIntent::created;
        vm.creation_plan = to_text(plan);
    });
    EXPECT_EQ(failure_of("DeletePrimaryStorage", {{"uuid", made("primary-storage")}}).code(), Code::operation_failed);
}

TEST_F(Storages, AStorageIsDisabledAndEnabledButNotMaintained) {
    const std::string uuid = made("primary-storage");
    EXPECT_EQ(call("ChangePrimaryStorageState", {{"uuid", uuid}, {"stateEvent", "disable"}})["inventory"]["state"],
              "Disabled");
    EXPECT_EQ(call("ChangePrimaryStorageState", {{"uuid", uuid}, {"stateEvent", "enable"}})["inventory"]["state"],
              "Enabled");
    EXPECT_EQ(failure_of("ChangePrimaryStorageState", {{"uuid", uuid}, {"stateEvent", "maintain"}}).code(),
              Code::no_capability);
}

TEST_F(Storages, AStorageOfAnotherZoneIsNotAttached) {
    const std::string zone = create("CreateZone", {{"name", "z2"}});
    const std::string cluster = create("CreateCluster", {{"name", "c2"}, {"zoneUuid", zone}, {"hypervisorType", "KVM"}});
    EXPECT_EQ(failure_of("AttachPrimaryStorageToCluster",
                         {{"primaryStorageUuid", made("primary-storage")}, {"clusterUuid", cluster}})
                  .code(),
              Code::operation_failed);
}

TEST_F(Storages, AnImageStoreOnThisHostIsMadeAttachedAndDeleted) {
    const std::string uuid = create("AddImageStoreBackupStorage", store("/srv/images"));
    const json attached =
        call("AttachBackupStorageToZone", {{"backupStorageUuid", uuid}, {"zoneUuid", made("zone")}})["inventory"];
    EXPECT_EQ(attached["attachedZoneUuids"], json::array({made("zone")}));
    EXPECT_EQ(attached["username"], "root");
    EXPECT_FALSE(attached.contains("password"));
    EXPECT_EQ(query("QueryBackupStorage").size(), 2u);
    EXPECT_EQ(query("QueryImageStoreBackupStorage").size(), 2u);
    EXPECT_EQ(query("QuerySftpBackupStorage").size(), 0u);
    EXPECT_EQ(call("QuerySftpBackupStorage", {{"uuid", uuid}})["inventories"].size(), 0u);
    EXPECT_EQ(call("DeleteBackupStorage", {{"uuid", uuid}}), json::object());
    EXPECT_EQ(only("QueryBackupStorage")["totalCapacity"], 100 * GiB);
}

TEST_F(Storages, AnImageStoreElsewhereIsRefused) {
    EXPECT_EQ(failure_of("AddImageStoreBackupStorage", store("/srv/images", "10.66.0.1")).code(), Code::no_capability);
    json sent = store("/srv/images");
    sent["importImages"] = true;
    EXPECT_EQ(failure_of("AddImageStoreBackupStorage", sent).code(), Code::invalid_argument);
}

TEST_F(Storages, ABackupStorageWithImagesIsNotDeleted) {
    ImageRef ref;
    ref.uuid = "ref";
    ref.image = ImageId::make();
    ref.backup_storage = BackupStorageId(made("backup-storage"));
    inventory.insert(ref);
    EXPECT_NE(failure_of("DeleteBackupStorage", {{"uuid", made("backup-storage")}}).details().find("1 image"),
              std::string::npos);
}

}  // namespace
}  // namespace hvagent::operations
