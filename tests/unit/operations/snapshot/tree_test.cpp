#include "agent/operations/snapshot/tree.h"

#include "agent/api/openapi.h"
#include "agent/api/schema.h"
#include "tests/unit/operations/snapshot/snapshot_fixture.h"

namespace hvagent::operations {
namespace {

class SnapshotTreeTest : public Snapshots {
protected:
    // one -> two -> three, and a branch of one
    void have_branches() {
        have_vm(false);
        one = take("one");
        two = take("two");
        three = take("three");
        revert(one);
        branch = take("branch");
    }
    SnapshotId one, two, three, branch;
};

std::vector<std::string> names_of(const json& leaves) {
    std::vector<std::string> names;
    for (const json& leaf : leaves) names.push_back(leaf["inventory"]["name"]);
    return names;
}

TEST_F(SnapshotTreeTest, IsAnsweredWithItsNodesInEachOther) {
    have_branches();
    const json tree = only("QueryVolumeSnapshotTree", {"volumeUuid=" + volume.str()});
    EXPECT_EQ(tree["current"], true);
    EXPECT_EQ(tree["tree"]["inventory"]["name"], "one");
    EXPECT_FALSE(tree["tree"].contains("parentUuid"));
    EXPECT_THAT(names_of(tree["tree"]["children"]), testing::ElementsAre("two", "branch"));
    const json& leaf = tree["tree"]["children"][0];
    EXPECT_EQ(leaf["parentUuid"], one.str());
    EXPECT_THAT(names_of(leaf["children"]), testing::ElementsAre("three"));
    EXPECT_EQ(leaf["children"][0]["children"], json::array());
}

TEST_F(SnapshotTreeTest, FieldsChooseWhetherNodesAreThere) {
    have_branches();
    json found = call("QueryVolumeSnapshotTree", {{"fields", {"uuid,current"}}})["inventories"][0];
    EXPECT_FALSE(found.contains("tree"));
    found = call("QueryVolumeSnapshotTree", {{"fields", {"tree"}}})["inventories"][0];
    EXPECT_TRUE(found.contains("tree"));
    EXPECT_EQ(call("QueryVolumeSnapshotTree", {{"count", true}})["total"], 1);
}

TEST_F(SnapshotTreeTest, TheSchemaNamesEveryNode) {
    have_branches();
    const api::SchemaBuilder schemas(resource_shapes());
    const json answer = call("QueryVolumeSnapshotTree", {});
    const json schema = schemas.schema_of(*catalog->find("QueryVolumeSnapshotTree"), answer);
    const std::string leaf = "org.zstack.header.storage.snapshot.VolumeSnapshotTree$SnapshotLeafInventory";
    EXPECT_EQ(schema["inventories[0].tree"], leaf);
    EXPECT_EQ(schema["inventories[0].tree.children[0].children[0]"], leaf);
    EXPECT_EQ(schema["inventories[0].tree.children[1].inventory"],
              "org.zstack.header.storage.snapshot.VolumeSnapshotInventory");
}

TEST_F(SnapshotTreeTest, WhatAVolumeGoesOnFromIsKnown) {
    have_branches();
    EXPECT_EQ(base_snapshot(*services, volume)->uuid, branch);
    EXPECT_EQ(subtree(*services, snapshot(one)).size(), 4u);
    leave_tree(*services, volume);
    EXPECT_FALSE(base_snapshot(*services, volume));
    EXPECT_FALSE(inventory.get<SnapshotTree>(snapshot(one).tree).current);
    go_on_from(*services, snapshot(two));
    EXPECT_EQ(base_snapshot(*services, volume)->uuid, two);
    EXPECT_FALSE(snapshot(branch).latest);
}

TEST_F(SnapshotTreeTest, ASnapshotCanBeRenamed) {
    have_vm(false);
    const SnapshotId id = take("before");
    const json changed =
        call("UpdateVolumeSnapshot", {{"uuid", id.str()}, {"name", "after"}, {"description", "d"}})["inventory"];
    EXPECT_EQ(changed["name"], "after");
    EXPECT_EQ(changed["description"], "d");
}

}  // namespace
}  // namespace hvagent::operations
