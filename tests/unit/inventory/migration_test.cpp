// A store of an earlier version becomes what a new one is; one of a later version is left alone.
#include <map>

#include "agent/inventory/resource.h"
#include "agent/inventory/schema.h"
#include "tests/fakes/temp_directory.h"
#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

std::string golden_schema(std::int64_t version) {
    return std::string(GOLDEN_DIRECTORY) + "/schema_v" + std::to_string(version) + ".sql";
}

std::string current_ddl() {
    std::string text;
    for (const Table* table : all_tables())
        for (const std::string& statement : ddl_of(*table)) text += statement + ";\n";
    return text;
}

void run_all(Database& database, const std::string& statements) {
    database.write(Durability::lazy, [&](SqlSession& session) {
        std::istringstream lines(statements);
        for (std::string line; std::getline(lines, line);) session.run(line);
    });
}

// Table or index -> its columns with their types and defaults, in whatever order.
std::map<std::string, std::set<std::string>> structure(Database& database) {
    std::map<std::string, std::set<std::string>> found;
    database.read([&](SqlSession& session) {
        std::vector<std::string> tables;
        session.each("SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite%'", {}, [&](const SqlRow& row) {
            if (row.text(1) == "table") tables.push_back(row.text(0));
            found[row.text(0)];
        });
        for (const std::string& table : tables)
            session.each("PRAGMA table_xinfo(" + identifier(table) + ")", {}, [&](const SqlRow& row) {
                found[table].insert(row.text(1) + " " + row.text(2) + " " + row.text(4));
            });
    });
    return found;
}

std::int64_t version_of(Database& database) {
    std::int64_t version = -1;
    database.read([&](SqlSession& session) {
        session.each("SELECT version FROM schema_version", {}, [&](const SqlRow& row) { version = row.integer(0); });
    });
    return version;
}

class Migrations : public testing::Test {
protected:
    SetClock clock;
    SqliteDatabase database{":memory:"};
    Inventory inventory{database, clock};
};

// Fails when a record description changes without a new version: raise schema_version, then write the golden file with
// HVAGENT_UPDATE_GOLDEN=1. Golden files of earlier versions stay as they are.
TEST_F(Migrations, TheDescriptionsAreThoseOfTheVersion) {
    if (std::getenv("HVAGENT_UPDATE_GOLDEN")) write_file(golden_schema(schema_version), current_ddl());
    EXPECT_EQ(current_ddl(), read_file(golden_schema(schema_version)));
}

TEST_F(Migrations, EveryEarlierVersionBecomesTheCurrentOne) {
    inventory.migrate();
    for (std::int64_t version = 1; version <= schema_version; ++version) {
        SqliteDatabase old(":memory:");
        run_all(old, read_file(golden_schema(version)));
        run_all(old, "CREATE TABLE schema_version (version INTEGER NOT NULL)\nINSERT INTO schema_version VALUES (" +
                         std::to_string(version) + ")");
        run_all(old, "INSERT INTO vm (uuid, name, observed, intent) VALUES ('vm', 'web-1', 'Running', 'kept')");
        Inventory upgraded(old, clock);
        upgraded.migrate();
        EXPECT_EQ(structure(old), structure(database)) << "from version " << version;
        EXPECT_EQ(version_of(old), schema_version);
        EXPECT_EQ(upgraded.get<Vm>(VmId("vm")).name, "web-1");
        EXPECT_EQ(upgraded.vm_state(VmId("vm")), VmState::running);
    }
}

TEST_F(Migrations, ANewStoreIsOfTheCurrentVersionAndStaysSo) {
    inventory.migrate();
    EXPECT_EQ(version_of(database), schema_version);
    Zone zone;
    zone.uuid = ZoneId("zone");
    inventory.insert(zone);
    inventory.migrate();
    EXPECT_TRUE(inventory.find<Zone>(ZoneId("zone")));
    EXPECT_EQ(version_of(database), schema_version);
}

TEST_F(Migrations, AStoreOfANewerAgentIsLeftAlone) {
    inventory.migrate();
    run_all(database, "UPDATE schema_version SET version = " + std::to_string(schema_version + 1));
    const Error error = thrown_error([&] { inventory.migrate(); });
    EXPECT_EQ(error.code(), Code::no_capability);
    EXPECT_THAT(error.details(), testing::HasSubstr("version " + std::to_string(schema_version + 1)));
    EXPECT_EQ(version_of(database), schema_version + 1);
}

TEST_F(Migrations, MissingTablesColumnsAndIndicesAreAddedWithTheValuesOfAFreshOne) {
    run_all(database,
            "CREATE TABLE schema_version (version INTEGER NOT NULL)\n"
            "INSERT INTO schema_version VALUES (1)\n"
            "CREATE TABLE vm (uuid TEXT PRIMARY KEY NOT NULL, name TEXT)\n"
            "INSERT INTO vm VALUES ('vm', 'web-1')");
    migrate(database, {}, 2);
    SqliteDatabase fresh(":memory:");
    Inventory(fresh, clock).migrate();
    EXPECT_EQ(structure(database), structure(fresh));
    Vm expected;
    expected.uuid = VmId("vm");
    expected.name = "web-1";
    EXPECT_EQ(record_of<Vm>().store(inventory.get<Vm>(VmId("vm"))), record_of<Vm>().store(expected));
    EXPECT_EQ(inventory.view("VmInstance", "vm")["state"], "Stopped");
}

TEST_F(Migrations, StepsRunOnceInOrderAndOnlyThoseThatAreNeeded) {
    inventory.migrate();
    Zone zone;
    zone.uuid = ZoneId("zone");
    inventory.insert(zone);
    const std::vector<MigrationStep> steps = {
        {schema_version, {"UPDATE zone SET description = 'never'"}},
        {schema_version + 1, {"UPDATE zone SET description = coalesce(description, '') || 'a'"}},
        {schema_version + 2, {"UPDATE zone SET description = description || 'b'"}}};
    migrate(database, steps, schema_version + 2);
    migrate(database, steps, schema_version + 2);
    EXPECT_EQ(inventory.get<Zone>(ZoneId("zone")).description, "ab");
    EXPECT_EQ(version_of(database), schema_version + 2);
}

TEST_F(Migrations, AStepThatFailsLeavesTheVersionBeforeIt) {
    inventory.migrate();
    const std::vector<MigrationStep> steps = {
        {schema_version + 1, {"CREATE TABLE first (a INTEGER)"}},
        {schema_version + 2, {"CREATE TABLE second (a INTEGER)", "UPDATE nowhere SET a = 1"}},
    };
    EXPECT_THROW(migrate(database, steps, schema_version + 2), Error);
    EXPECT_EQ(version_of(database), schema_version + 1);
    EXPECT_TRUE(structure(database).contains("first"));
    EXPECT_FALSE(structure(database).contains("second"));
}

}  // namespace
}  // namespace hvagent::inventory
