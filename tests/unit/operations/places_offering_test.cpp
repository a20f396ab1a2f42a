#include "agent/operations/vm/creation_plan.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class Offerings : public Places {
protected:
    Offerings() { start(); }
    std::string small() { return create("CreateInstanceOffering", {{"name", "small"}, {"cpuNum", 1}, {"memorySize", GiB}}); }
    std::string disk_10g() { return create("CreateDiskOffering", {{"name", "10g"}, {"diskSize", 10 * GiB}}); }
};

TEST_F(Offerings, TheManualsSampleIsAccepted) {
    const json made =
        call("CreateInstanceOffering",
             {{"name", "instanceOffering1"}, {"cpuNum", 2.0}, {"memorySize", 2097152.0}, {"sortKey", 0.0}})["inventory"];
    EXPECT_EQ(made["cpuNum"], 2);
    EXPECT_EQ(made["memorySize"], 2097152);
    EXPECT_EQ(made["type"], "UserVm");
    EXPECT_EQ(made["state"], "Enabled");
    EXPECT_EQ(made["allocatorStrategy"], "LeastVmPreferredHostAllocatorStrategy");
    const json volume = call("CreateDiskOffering", {{"name", "diskOffering1"},
                                                    {"diskSize", 100.0},
                                                    {"sortKey", 0.0},
                                                    {"resourceUuid", "cbebfba8a2b041f0beea6ba64fdbdc9e"}})["inventory"];
    EXPECT_EQ(volume["diskSize"], 100);
    EXPECT_EQ(volume["uuid"], "cbebfba8a2b041f0beea6ba64fdbdc9e");
}

TEST_F(Offerings, FieldsAClientSendsUnsetAreNotGiven) {
    const json made = call("CreateInstanceOffering", {{"name", "go"},
                                                      {"cpuNum", 1},
                                                      {"memorySize", GiB},
                                                      {"reservedMemorySize", 0},
                                                      {"allocatorStrategy", ""},
                                                      {"type", ""},
                                                      {"description", ""},
                                                      {"resourceUuid", ""},
                                                      {"tagUuids", json::array()}})["inventory"];
    EXPECT_EQ(made["type"], "UserVm");
    const json updated =
        call("UpdateInstanceOffering", {{"uuid", made["uuid"]}, {"name", ""}, {"description", "d"}})["inventory"];
    EXPECT_EQ(updated["name"], "go");
    EXPECT_EQ(updated["description"], "d");
}

TEST_F(Offerings, MoreReservedThanThereIsIsRefused) {
    const Error error = failure_of("CreateInstanceOffering",
                                   {{"name", "x"}, {"cpuNum", 1}, {"memorySize", 100}, {"reservedMemorySize", 101}});
    EXPECT_EQ(error.code(), Code::invalid_argument);
}

TEST_F(Offerings, UnknownNamesOfStrategiesAndTypesAreRefused) {
    EXPECT_EQ(failure_of("CreateInstanceOffering",
                         {{"name", "x"}, {"cpuNum", 1}, {"memorySize", 100}, {"allocatorStrategy", "Best"}})
                  .code(),
              Code::invalid_argument);
    EXPECT_EQ(failure_of("CreateDiskOffering", {{"name", "x"}, {"diskSize", 1}, {"type", "fast"}}).code(),
              Code::invalid_argument);
    EXPECT_EQ(failure_of("CreateDiskOffering", {{"name", "x"}, {"diskSize", 1}, {"systemTags", {"fast::true"}}}).code(),
              Code::invalid_argument);
}

TEST_F(Offerings, SystemTagsOfAnOfferingAreThoseOfVms) {
    const std::string uuid = create(
        "CreateInstanceOffering",
        {{"name", "x"}, {"cpuNum", 1}, {"memorySize", GiB}, {"systemTags", {"ha::NeverStop"}}, {"userTags", {"mine"}}});
    EXPECT_EQ(inventory.system_tag(uuid, "ha"), "NeverStop");
    EXPECT_EQ(inventory.tags_of(uuid, "User").size(), 1u);
    EXPECT_EQ(failure_of("CreateInstanceOffering",
                         {{"name", "x"}, {"cpuNum", 1}, {"memorySize", GiB}, {"systemTags", {"nonsense"}}})
                  .code(),
              Code::invalid_argument);
}

TEST_F(Offerings, AJobThatBeganBeforeARestartFindsWhatItMade) {
    const json sent{
        {"name", "x"}, {"cpuNum", 1}, {"memorySize", GiB}, {"resourceUuid", make_uuid()}, {"userTags", {"mine"}}};
    call("CreateInstanceOffering", sent);
    EXPECT_EQ(call("CreateInstanceOffering", sent, true)["inventory"]["name"], "x");
    EXPECT_EQ(inventory.count<InstanceOffering>(), 1);
}

TEST_F(Offerings, StatesChange) {
    const std::string uuid = small();
    EXPECT_EQ(call("ChangeInstanceOfferingState", {{"uuid", uuid}, {"stateEvent", "disable"}})["inventory"]["state"],
              "Disabled");
    EXPECT_EQ(call("ChangeInstanceOfferingState", {{"uuid", uuid}, {"stateEvent", "enable"}})["inventory"]["state"],
              "Enabled");
    EXPECT_EQ(call("ChangeDiskOfferingState", {{"uuid", disk_10g()}, {"stateEvent", "disable"}})["inventory"]["state"],
              "Disabled");
    EXPECT_EQ(failure_of("ChangeInstanceOfferingState", {{"uuid", uuid}, {"stateEvent", "explode"}}).code(),
              Code::invalid_argument);
}

TEST_F(Offerings, VmsOfADeletedOfferingKeepTheirSize) {
    const std::string uuid = small();
    const VmId vm = add_vm([&](Vm& record) {
        record.offering = InstanceOfferingId(uuid);
        record.memory = GiB;
    });
    EXPECT_EQ(call("DeleteInstanceOffering", {{"uuid", uuid}}), json::object());
    EXPECT_TRUE(inventory.get<Vm>(vm).offering.empty());
    EXPECT_EQ(inventory.get<Vm>(vm).memory, GiB);
    EXPECT_EQ(query("QueryInstanceOffering").size(), 0u);
    EXPECT_EQ(call("DeleteInstanceOffering", {{"uuid", uuid}}), json::object());  // gone is a success
}

TEST_F(Offerings, VolumesOfADeletedDiskOfferingForgetIt) {
    const std::string uuid = disk_10g();
    const VolumeId volume = add_volume(made("primary-storage"));
    inventory.modify<Volume>(volume, [&](Volume& record) { record.disk_offering = DiskOfferingId(uuid); });
    CreationPlan plan;
    plan.storage = PrimaryStorageId(made("primary-storage"));
    plan.disks.push_back({VolumeId::make(), "root", GiB, DiskOfferingId(uuid), ImageId(), {}});
    const VmId recorded = add_vm([&](Vm& vm) {
        vm.intent = VmIntent::created;
        vm.creation_plan = to_text(plan);
    });
    call("DeleteDiskOffering", {{"uuid", uuid}, {"deleteMode", "Enforcing"}});
    EXPECT_TRUE(inventory.get<Volume>(volume).disk_offering.empty());
    EXPECT_TRUE(parse_creation_plan(inventory.get<Vm>(recorded).creation_plan).disks.at(0).offering.empty());
}

TEST_F(Offerings, AreFoundByTheQueryLanguage) {
    small();
    disk_10g();
    EXPECT_EQ(only("QueryInstanceOffering", {"memorySize>=1073741824", "name~=sm%"})["name"], "small");
    EXPECT_EQ(query("QueryDiskOffering", {"diskSize<100"}).size(), 0u);
    EXPECT_THROW(query("QueryDiskOffering", {"size<100"}), Error);
}

}  // namespace
}  // namespace hvagent::operations
