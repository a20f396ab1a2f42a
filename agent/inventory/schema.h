// The tables of the store and how an older file becomes a newer one.
#pragma once
#include <string>
#include <vector>

#include "agent/inventory/record.h"
#include "hvagent/drivers/database.h"

namespace hvagent::inventory {

// What the record descriptions say. To change it: raise the number, and add a step where old rows need more than new columns
// with the value of a fresh struct (those, new tables and new indices come by themselves).
inline constexpr std::int64_t schema_version = 4;

struct MigrationStep {
    std::int64_t to;  // the version it leads to
    std::vector<std::string> statements;
};
const std::vector<MigrationStep>& migration_steps();

// Each step in a transaction of its own. Error(no_capability) when the file is of a newer version.
void migrate(Database& database, const std::vector<MigrationStep>& steps = migration_steps(),
             std::int64_t version = schema_version);

// Of the file as it is; 0: it is new.
std::int64_t find_version(Database& database);

// CREATE TABLE and CREATE INDEX of one table.
std::vector<std::string> ddl_of(const Table& table);

}  // namespace hvagent::inventory
