#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class TagOperations : public Places {
protected:
    TagOperations() {
        start();
        vm = add_vm([](Vm& record) { record.intent = VmIntent::kept; });
    }
    json on_vm(const std::string& tag) {
        return {{"resourceType", "VmInstanceVO"}, {"resourceUuid", vm.str()}, {"tag", tag}};
    }
    std::vector<std::string> tags() {
        std::vector<std::string> texts;
        for (const Tag& tag : inventory.tags_of(vm.str(), "System")) texts.push_back(tag.tag);
        return texts;
    }
    VmId vm;
};

TEST_F(TagOperations, SystemTagsAreSetChangedFoundAndDeleted) {
    const json made = call("CreateSystemTag", on_vm("hostname::web"))["inventory"];
    EXPECT_EQ(made["tag"], "hostname::web");
    EXPECT_EQ(made["type"], "System");
    EXPECT_EQ(made["resourceType"], "VmInstanceVO");
    EXPECT_EQ(call("UpdateSystemTag", {{"uuid", made["uuid"]}, {"tag", "hostname::db"}})["inventory"]["uuid"], made["uuid"]);
    EXPECT_EQ(only("QuerySystemTag", {"resourceUuid=" + vm.str()})["tag"], "hostname::db");
    EXPECT_EQ(query("QueryUserTag").size(), 0u);
    EXPECT_EQ(call("DeleteTag", {{"uuid", made["uuid"]}}), json::object());
    EXPECT_EQ(call("DeleteTag", {{"uuid", made["uuid"]}}), json::object());
    EXPECT_TRUE(tags().empty());
}

TEST_F(TagOperations, TagsWithoutAMeaningAreRefused) {
    for (const char* tag : {"nonsense::1", "hostname::", "bootMode::Other", "userdata::abc", "staticIp::x"})
        EXPECT_EQ(failure_of("CreateSystemTag", on_vm(tag)).code(), Code::invalid_argument) << tag;
    EXPECT_EQ(failure_of("CreateSystemTag", on_vm("createWithoutCdRom::true")).code(), Code::invalid_argument);  // too late
    EXPECT_EQ(
        failure_of("CreateSystemTag", {{"resourceType", "HostVO"}, {"resourceUuid", host.str()}, {"tag", "hostname::x"}})
            .code(),
        Code::invalid_argument);
    EXPECT_EQ(
        failure_of("CreateSystemTag", {{"resourceType", "UnicornVO"}, {"resourceUuid", host.str()}, {"tag", "x"}}).code(),
        Code::invalid_argument);
    EXPECT_EQ(failure_of("CreateSystemTag",
                         {{"resourceType", "VmInstanceVO"}, {"resourceUuid", make_uuid()}, {"tag", "hostname::x"}})
                  .code(),
              Code::not_found);
    EXPECT_TRUE(tags().empty());
}

TEST_F(TagOperations, AVmHasOneHostname) {
    const std::string uuid = create("CreateSystemTag", on_vm("hostname::web"));
    EXPECT_EQ(failure_of("CreateSystemTag", on_vm("hostname::web")).code(), Code::duplicate_tag);
    EXPECT_EQ(failure_of("CreateSystemTag", on_vm("hostname::db")).code(), Code::duplicate_tag);
    EXPECT_EQ(failure_of("UpdateSystemTag", {{"uuid", uuid}, {"tag", "bootMode::UEFI"}}).code(), Code::invalid_argument);
    EXPECT_EQ(tags(), std::vector<std::string>{"hostname::web"});
}

TEST_F(TagOperations, TheHaTagSaysWhatSetVmInstanceHaLevelSays) {
    std::vector<VmId> considered;
    services->consider_ha = [&](const VmId& one) { considered.push_back(one); };
    const std::string uuid = create("CreateSystemTag", on_vm("ha::OnHostFailure"));
    EXPECT_FALSE(inventory.get<Vm>(vm).should_run);
    EXPECT_EQ(create("CreateSystemTag", on_vm("ha::NeverStop")), uuid);
    EXPECT_TRUE(inventory.get<Vm>(vm).should_run);
    EXPECT_EQ(considered, (std::vector<VmId>{vm, vm}));
    EXPECT_EQ(tags(), std::vector<std::string>{"ha::NeverStop"});
    EXPECT_EQ(call("GetVmInstanceHaLevel", {{"uuid", vm.str()}})["level"], "NeverStop");
    EXPECT_EQ(failure_of("CreateSystemTag", on_vm("ha::FaultTolerance")).code(), Code::invalid_argument);
}

TEST_F(TagOperations, UpdatingTheHaTagIsHeededToo) {
    const std::string uuid = create("CreateSystemTag", on_vm("ha::OnHostFailure"));
    call("UpdateSystemTag", {{"uuid", uuid}, {"tag", "ha::NeverStop"}});
    EXPECT_TRUE(inventory.get<Vm>(vm).should_run);
}

TEST_F(TagOperations, UserTagsGoOnEverythingThatCanCarryTags) {
    const std::string uuid =
        create("CreateUserTag", {{"resourceType", "HostVO"}, {"resourceUuid", host.str()}, {"tag", "rack 7"}});
    EXPECT_EQ(only("QueryUserTag", {"resourceType=HostVO"})["tag"], "rack 7");
    EXPECT_EQ(query("QueryHost", {"__userTag__=rack 7"}).size(), 1u);
    EXPECT_EQ(
        failure_of("CreateUserTag", {{"resourceType", "HostVO"}, {"resourceUuid", host.str()}, {"tag", "rack 7"}}).code(),
        Code::duplicate_tag);
    EXPECT_EQ(failure_of("UpdateSystemTag", {{"uuid", uuid}, {"tag", "rack 8"}}).code(), Code::invalid_argument);
    call("DeleteTag", {{"uuid", uuid}});
    EXPECT_EQ(query("QueryUserTag").size(), 0u);
}

TEST_F(TagOperations, AJobThatBeganBeforeARestartFindsItsTag) {
    const std::string uuid =
        create("CreateUserTag", {{"resourceType", "HostVO"}, {"resourceUuid", host.str()}, {"tag", "x"}});
    EXPECT_EQ(call("CreateUserTag", {{"resourceType", "HostVO"}, {"resourceUuid", host.str()}, {"tag", "x"}},
                   true)["inventory"]["uuid"],
              uuid);
}

TEST_F(TagOperations, WaitForTheOtherJobsOfTheirResource) {
    const std::string uuid = create("CreateSystemTag", on_vm("hostname::web"));
    const std::vector<std::string> queue{"VmInstance:" + vm.str()};
    EXPECT_EQ(catalog->find("CreateSystemTag")->queues(on_vm("hostname::web")), queue);
    EXPECT_EQ(catalog->find("DeleteTag")->queues({{"uuid", uuid}}), queue);
}

}  // namespace
}  // namespace hvagent::operations
