#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

class Tags : public StoreTest {
protected:
    Tags() { add_vm(1, "web-1"); }
    std::vector<std::string> texts(const std::string& type) {
        std::vector<std::string> found;
        for (const Tag& tag : inventory.tags_of(uuid(1), type)) found.push_back(tag.tag);
        return found;
    }
};

TEST_F(Tags, AreKeptByTypeInTheirOrder) {
    inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "System");
    clock.unix_ms += 1;
    inventory.add_tag("VmInstance", uuid(1), "a::b", "System");
    inventory.add_tag("VmInstance", uuid(1), "production", "User");
    EXPECT_THAT(texts("System"), testing::ElementsAre("ha::NeverStop", "a::b"));
    EXPECT_THAT(texts("User"), testing::ElementsAre("production"));
    const Tag tag = inventory.tags_of(uuid(1), "User").front();
    EXPECT_EQ(tag.resource_type, "VmInstanceVO");
    EXPECT_TRUE(is_uuid(tag.uuid.str()));
}

TEST_F(Tags, TheSameTwiceIsRefused) {
    inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "System");
    EXPECT_EQ(thrown_error([&] { inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "System"); }).code(),
              Code::duplicate_tag);
    EXPECT_NO_THROW(inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "User"));
    EXPECT_NO_THROW(inventory.add_tag("VmInstance", uuid(2), "ha::NeverStop", "System"));
}

TEST_F(Tags, WrongOnesAreRefused) {
    EXPECT_EQ(thrown_error([&] { inventory.add_tag("VmInstance", uuid(1), "", "User"); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { inventory.add_tag("VmInstance", uuid(1), "x", "Other"); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { inventory.add_tag("UsedIp", uuid(1), "x", "User"); }).code(), Code::invalid_argument);
}

TEST_F(Tags, ASystemTagIsFoundByItsName) {
    inventory.add_tag("VmInstance", uuid(1), "hostname::web", "System");
    inventory.add_tag("VmInstance", uuid(1), "host::x", "System");
    inventory.add_tag("VmInstance", uuid(1), "qemuga", "System");
    inventory.add_tag("VmInstance", uuid(1), "boot::user", "User");
    inventory.add_tag("VmInstance", uuid(1), "staticIp::l3::10.0.0.2", "System");
    EXPECT_EQ(inventory.system_tag(uuid(1), "hostname"), "web");
    EXPECT_EQ(inventory.system_tag(uuid(1), "host"), "x");
    EXPECT_EQ(inventory.system_tag(uuid(1), "qemuga"), "");
    EXPECT_EQ(inventory.system_tag(uuid(1), "staticIp"), "l3::10.0.0.2");
    EXPECT_EQ(inventory.system_tag(uuid(1), "staticIp::l3"), "10.0.0.2");
    EXPECT_EQ(inventory.system_tag(uuid(1), "boot"), std::nullopt);
    EXPECT_EQ(inventory.system_tag(uuid(1), "h%"), std::nullopt);
    EXPECT_EQ(inventory.system_tag(uuid(2), "hostname"), std::nullopt);
}

TEST_F(Tags, RemovingByNameTakesThatNameOnly) {
    for (const char* tag : {"cdroms::a", "cdroms::b", "cdromsUuid::c", "cdroms"})
        inventory.add_tag("VmInstance", uuid(1), tag, "System");
    inventory.add_tag("VmInstance", uuid(1), "cdroms::mine", "User");
    inventory.add_tag("VmInstance", uuid(2), "cdroms::other", "System");
    inventory.remove_system_tags(uuid(1), "cdroms");
    EXPECT_THAT(texts("System"), testing::ElementsAre("cdromsUuid::c"));
    EXPECT_THAT(texts("User"), testing::ElementsAre("cdroms::mine"));
    EXPECT_EQ(inventory.tags_of(uuid(2), "System").size(), 1u);
}

TEST_F(Tags, GoWithTheirResource) {
    inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "System");
    inventory.add_tag("VmInstance", uuid(1), "production", "User");
    inventory.add_tag("VmInstance", uuid(2), "production", "User");
    inventory.remove<Vm>(VmId(uuid(1)));
    EXPECT_TRUE(inventory.tags_of(uuid(1), "System").empty());
    EXPECT_TRUE(inventory.tags_of(uuid(1), "User").empty());
    EXPECT_EQ(inventory.tags_of(uuid(2), "User").size(), 1u);
}

}  // namespace
}  // namespace hvagent::inventory
