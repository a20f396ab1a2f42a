// The wire views against golden files. HVAGENT_UPDATE_GOLDEN=1 writes them anew.
#include <filesystem>

#include "tests/fakes/temp_directory.h"
#include "tests/unit/inventory/world.h"

namespace hvagent::inventory {
namespace {

using testing::ElementsAre;

class Views : public World {
protected:
    void expect_golden(const std::string& name, json value) {
        const std::string path = std::string(GOLDEN_DIRECTORY) + "/" + name + ".json";
        hide_tag_ids(value);
        if (std::getenv("HVAGENT_UPDATE_GOLDEN")) write_file(path, value.dump(2) + "\n");
        EXPECT_EQ(value, json::parse(read_file(path))) << name << "\n" << value.dump(2);
    }
    // The only random values.
    void hide_tag_ids(json& value) {
        if (value.contains("resourceType")) value["uuid"] = "random";
    }
};

struct Shown {
    const char* resource;
    std::string uuid;
    const char* golden;
};

TEST_F(Views, AreAsInTheGoldenFiles) {
    const std::vector<Shown> all = {
        {"VmInstance", uuid(101), "vm_running"},
        {"VmInstance", uuid(102), "vm_stopped"},
        {"VmInstance", uuid(103), "vm_only_recorded"},
        {"VmNic", uuid(201), "nic"},
        {"VmCdRom", uuid(351), "cdrom"},
        {"Volume", uuid(301), "volume_root"},
        {"Volume", uuid(304), "volume_not_instantiated"},
        {"Image", uuid(63), "image"},
        {"PrimaryStorage", uuid(61), "primary_storage"},
        {"BackupStorage", uuid(62), "backup_storage"},
        {"Zone", uuid(1), "zone"},
        {"Cluster", uuid(11), "cluster"},
        {"Host", uuid(21), "host"},
        {"L2Network", uuid(31), "l2_no_vlan"},
        {"L2Network", uuid(32), "l2_vlan"},
        {"L3Network", uuid(41), "l3_private"},
        {"L3Network", uuid(42), "l3_without_anything"},
        {"IpRange", uuid(51), "ip_range"},
        {"UsedIp", uuid(1201), "used_ip"},
        {"InstanceOffering", uuid(71), "instance_offering"},
        {"DiskOffering", uuid(72), "disk_offering"},
        {"Account", "36c27e8ff05c4780bf6d2fa65700f22e", "account"},
        {"SystemTag", tag_ids[0], "system_tag"},
        {"UserTag", tag_ids[1], "user_tag"},
    };
    for (const Shown& one : all) expect_golden(one.golden, inventory.view(one.resource, one.uuid));
}

TEST_F(Views, TheSchemaNamesEachObjectParentsFirst) {
    const api::QueryRequest all;
    const json answer = json::parse(inventory.query_text("VmInstance", all, true));
    expect_golden("vm_schema", answer["schema"]);
    const std::string text = inventory.query_text("VmInstance", all, true);
    EXPECT_LT(text.find("\"inventories[0]\":"), text.find("\"inventories[0].vmNics[0]\":"));
    EXPECT_LT(text.find("\"inventories[0].vmNics[0]\":"), text.find("\"inventories[0].vmNics[0].usedIps[0]\":"));
    // Each path leads to an object of the answer.
    for (const auto& [path, wire_class] : answer["schema"].items()) {
        std::string pointer = "/";
        for (char c : path) pointer += c == '.' ? "/" : c == '[' ? "/" : c == ']' ? "" : std::string(1, c);
        EXPECT_TRUE(answer.contains(json::json_pointer(pointer))) << path;
    }
}

TEST_F(Views, TheSchemaFollowsTheTypeOfARow) {
    const auto class_of = [&](const char* resource, const std::string& id) {
        api::QueryRequest request;
        request.uuid = id;
        return json::parse(inventory.query_text(resource, request, true))["schema"]["inventories[0]"].get<std::string>();
    };
    EXPECT_EQ(class_of("BackupStorage", uuid(62)), "org.zstack.storage.backup.imagestore.ImageStoreBackupStorageInventory");
    EXPECT_EQ(class_of("L2Network", uuid(31)), "org.zstack.header.network.l2.L2NetworkInventory");
    EXPECT_EQ(class_of("L2Network", uuid(32)), "org.zstack.header.network.l2.L2VlanNetworkInventory");
    EXPECT_EQ(class_of("Host", uuid(21)), "org.zstack.kvm.KVMHostInventory");
    api::QueryRequest none;
    none.conditions = {"name=nobody"};
    EXPECT_EQ(json::parse(inventory.query_text("Host", none, true)),
              json({{"inventories", json::array()}, {"schema", json::object()}}));
    none.count = true;
    EXPECT_EQ(json::parse(inventory.query_text("Host", none, true)), json({{"total", 0}, {"schema", json::object()}}));
}

TEST_F(Views, AQueryShowsWhatTheViewShows) {
    for (const api::ResourceShape& shape : Inventory::shapes()) {
        if (shape.resource == "ImageBackupStorageRef" || shape.resource == "NetworkServiceL3NetworkRef")
            continue;  // no uuid
        const json all = inventory.query(shape.resource, {});
        EXPECT_FALSE(all["inventories"].empty() && shape.resource != "SftpBackupStorage") << shape.resource;
        for (const json& one : all["inventories"]) {
            const std::string id = one["uuid"];
            EXPECT_EQ(inventory.view(shape.resource, id), one);
            EXPECT_EQ(inventory.answer(shape.resource, id), json({{"inventory", one}}));
            api::QueryRequest by_uuid;
            by_uuid.uuid = id;
            EXPECT_EQ(inventory.query(shape.resource, by_uuid)["inventories"], json::array({one}));
        }
    }
}

TEST_F(Views, ThereIsNoneOfWhatIsNotThere) {
    const Error error = thrown_error([&] { inventory.view("VmInstance", uuid(999)); });
    EXPECT_EQ(error.code(), Code::not_found);
    EXPECT_THAT(error.details(), testing::HasSubstr(uuid(999)));
    EXPECT_EQ(thrown_error([&] { inventory.view("SystemTag", tag_ids[1]); }).code(), Code::not_found);
    EXPECT_EQ(thrown_error([&] { inventory.answer("Spaceship", uuid(1)); }).code(), Code::internal);
}

TEST_F(Views, NestedOnesComeByDevice) {
    const json vm = inventory.view("VmInstance", uuid(101));
    ASSERT_EQ(vm["vmNics"].size(), 2u);
    EXPECT_EQ(vm["vmNics"][0]["deviceId"], 0);
    EXPECT_EQ(vm["vmNics"][1]["deviceId"], 1);
    EXPECT_EQ(vm["vmNics"][1]["usedIps"][0]["ip"], "203.0.113.7");
    EXPECT_EQ(vm["allVolumes"][0]["type"], "Root");
}

TEST_F(Views, AreReadInsideTheTransactionThatMakesThem) {
    inventory.transaction([&] {
        inventory.modify<Vm>(VmId(uuid(101)), [](Vm& vm) { vm.name = "changed"; });
        EXPECT_EQ(inventory.view("VmInstance", uuid(101))["name"], "changed");
    });
}

// What is always there by its shape is there, and nothing is there that the shape does not know.
TEST_F(Views, KeepToTheirShapes) {
    for (const api::ResourceShape& shape : Inventory::shapes()) {
        const json all = inventory.query(shape.resource, {});
        for (const json& one : all["inventories"]) {
            std::set<std::string> known;
            for (const api::ShapeField& field : shape.fields) {
                known.insert(field.name);
                if (field.always) {
                    EXPECT_TRUE(one.contains(field.name)) << shape.resource << "." << field.name;
                }
                if (one.contains(field.name) && !field.values.empty()) {
                    EXPECT_THAT(field.values, testing::Contains(one[field.name].get<std::string>()));
                }
            }
            for (const api::ShapeNested& nested : shape.nested) known.insert(nested.name);
            for (const auto& [name, value] : one.items()) {
                EXPECT_TRUE(known.contains(name)) << shape.resource << "." << name;
                EXPECT_FALSE(value.is_null()) << shape.resource << "." << name;
            }
        }
    }
}

TEST_F(Views, HoldWhateverTextIsStored) {
    Vm vm;
    vm.uuid = VmId(uuid(900));
    vm.name = std::string("a\"b\\c\n\xff", 7);
    vm.description = "虚拟机 😀";
    inventory.insert(vm);
    const json view = inventory.view("VmInstance", uuid(900));
    EXPECT_EQ(view["name"], "a\"b\\c\n\xef\xbf\xbd");
    EXPECT_EQ(view["description"], "虚拟机 😀");
}

}  // namespace
}  // namespace hvagent::inventory
