#include <set>

#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class System : public Places {
protected:
    System() { start(); }
};

TEST_F(System, VersionTimeAndReadinessNeedNoSession) {
    for (const char* operation : {"GetVersion", "GetCurrentTime", "IsReadyToGo"}) {
        EXPECT_FALSE(catalog->find(operation)->needs_session) << operation;
        EXPECT_FALSE(catalog->find(operation)->is_job) << operation;
    }
    EXPECT_FALSE(call("GetVersion", json::object())["version"].get<std::string>().empty());
    const json time = call("GetCurrentTime", json::object())["currentTime"];
    EXPECT_NEAR(time["MillionSeconds"].get<double>(), static_cast<double>(to_unix_ms(clock.now())), 60000);
    EXPECT_EQ(time["Seconds"].get<std::int64_t>(), time["MillionSeconds"].get<std::int64_t>() / 1000);
    EXPECT_EQ(call("IsReadyToGo", json::object()), json::object());
    EXPECT_THROW(call("IsReadyToGo", {{"managementNodeId", make_uuid()}}), Error);
}

TEST_F(System, TheAgentIsItsManagementNode) {
    const json node = only("QueryManagementNode");
    EXPECT_EQ(node["uuid"], host.str());
    EXPECT_EQ(call("QueryManagementNode", {{"uuid", host.str()}})["inventories"].size(), 1u);
    EXPECT_EQ(call("QueryManagementNode", {{"uuid", make_uuid()}})["inventories"].size(), 0u);
}

class ConfiguredSystem : public Places {
protected:
    ConfiguredSystem() {
        settings.hotplug = true;
        settings.expunge_after = seconds(5);
        start();
    }
};

TEST_F(ConfiguredSystem, SettingsAreShownUnderTheirNamesInTheContract) {
    const json numa = only("QueryGlobalConfig", {"category=vm", "name=numa"});
    EXPECT_EQ(numa["value"], "true");
    EXPECT_EQ(numa["defaultValue"], "false");
    EXPECT_EQ(only("QueryGlobalConfig", {"category=vm", "name=expungePeriod"})["value"], "5");
    EXPECT_EQ(only("QueryGlobalConfig", {"category=vm", "name=deletionPolicy"})["value"], "Delay");
    EXPECT_EQ(only("QueryGlobalConfig", {"category=identity", "name=session.timeout"})["value"], "7200");
    EXPECT_THROW(query("QueryGlobalConfig", {"colour=blue"}), Error);
}

// The generic promises of a row: what the answers name is known, and so is what the parameters refer to.
TEST_F(System, EveryAnswerNamesAKnownResource) {
    std::set<std::string> known;
    for (const api::ResourceShape& shape : resource_shapes())
        EXPECT_TRUE(known.insert(shape.resource).second) << shape.resource;
    for (const api::Row& row : catalog->rows())
        for (const api::Returned& returned : row.returns)
            EXPECT_TRUE(returned.resource.empty() || known.contains(returned.resource))
                << row.name << ": " << returned.resource;
}

TEST_F(System, EveryUrlVariableIsAParameterAndEveryUrlParameterAVariable) {
    for (const api::Row& row : catalog->rows())
        for (const api::Param& param : row.params)
            if (param.in == api::In::url) {
                bool found = false;
                for (const std::string& path : row.paths)
                    found = found || path.find("{" + param.name + "}") != std::string::npos;
                EXPECT_TRUE(found) << row.name << " " << param.name;
            }
}

TEST_F(System, EveryQueryAnswersOnAFreshHost) {
    for (const api::Row& row : catalog->rows()) {
        if (!row.is_query) continue;
        EXPECT_TRUE(call(row.name, json::object())["inventories"].is_array()) << row.name;
        EXPECT_TRUE(call(row.name, {{"count", "true"}})["total"].is_number()) << row.name;
        EXPECT_THROW(query(row.name, {"noSuchField=1"}), Error) << row.name;
    }
}

}  // namespace
}  // namespace hvagent::operations
