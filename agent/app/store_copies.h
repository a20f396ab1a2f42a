// Copies of the store from before its upgrades.
#pragma once
#include <string>

#include "drivers/sqlite/sqlite_database.h"

namespace hvagent::app {

// Before inventory::migrate(): a store of an older version is copied to <path>.schema-<its version>, of which the latest few
// are kept. Nothing happens for a new store, or one of this version. Error(io_failed): it could not be copied, and must not
// be upgraded.
void copy_before_upgrade(SqliteDatabase& database, const std::string& path);

}  // namespace hvagent::app
