// A store in a temporary directory with a clock the test moves, and short ways to fill it.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "agent/inventory/inventory.h"
#include "drivers/sqlite/sqlite_database.h"

namespace hvagent::inventory {

class MovableClock final : public Clock {
public:
    Time now() const override { return from_unix_ms(unix_ms); }
    Moment moment() const override { return Moment(milliseconds(unix_ms)); }
    std::int64_t unix_ms = 1510698057123;  // Nov 14, 2017 10:20:57.123 PM UTC
};

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "hvagent-inventory-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
        path = pattern;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

class StoreTest : public testing::Test {
protected:
    StoreTest()
        : database(std::make_unique<SqliteDatabase>((directory.path / "store.db").string())), inventory(*database, clock) {
        setenv("TZ", "UTC", 1);
        tzset();
        inventory.migrate();
    }

    // "0000...0<number>": ids that can be read in a failure.
    static std::string uuid(int number) {
        std::string text = std::to_string(number);
        return std::string(32 - text.size(), '0') + text;
    }
    Vm add_vm(int number, const std::string& name) {
        Vm vm;
        vm.uuid = VmId(uuid(number));
        vm.name = name;
        inventory.insert(vm);
        return vm;
    }
    // The names of what a query finds, in order.
    std::vector<std::string> names(std::string_view resource, const std::vector<std::string>& conditions) {
        api::QueryRequest request;
        request.conditions = conditions;
        return names(resource, request);
    }
    std::vector<std::string> names(std::string_view resource, const api::QueryRequest& request) {
        std::vector<std::string> found;
        for (const json& one : inventory.query(resource, request).at("inventories")) found.push_back(one.value("name", ""));
        return found;
    }

    TemporaryDirectory directory;
    MovableClock clock;
    std::unique_ptr<SqliteDatabase> database;
    Inventory inventory;
};

template <class F>
Error error_of(F&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    return Error(Code::internal, "no error at all");
}

}  // namespace hvagent::inventory
