// A store in memory with a clock the test sets, in a zone eight hours east of Greenwich.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "agent/inventory/inventory.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::inventory {

class SetClock final : public Clock {
public:
    Time now() const override { return from_unix_ms(unix_ms); }
    Moment moment() const override { return Moment(milliseconds(unix_ms)); }
    std::int64_t unix_ms = 1510669257123;  // Nov 14, 2017 10:20:57.123 PM in this zone
};

// The zone of the process; POSIX form, so that no zone files are needed.
class InZone {
public:
    explicit InZone(const char* zone) {
        setenv("TZ", zone, 1);
        tzset();
    }
    ~InZone() {
        unsetenv("TZ");
        tzset();
    }
};

// Ids that can be read in a failure: "00000000000000000000000000000042".
inline std::string uuid(int number) {
    const std::string digits = std::to_string(number);
    return std::string(32 - digits.size(), '0') + digits;
}

class StoreTest : public testing::Test {
protected:
    StoreTest() { inventory.migrate(); }

    Vm add_vm(int number, const std::string& name) {
        Vm vm;
        vm.uuid = VmId(uuid(number));
        vm.name = name;
        inventory.insert(vm);
        return vm;
    }
    // The names of what a query finds, in its order.
    std::vector<std::string> names(std::string_view resource, const std::vector<std::string>& conditions) {
        api::QueryRequest request;
        request.conditions = conditions;
        return names_of(resource, request);
    }
    std::vector<std::string> names_of(std::string_view resource, const api::QueryRequest& request) {
        std::vector<std::string> found;
        const json answer = inventory.query(resource, request);
        for (const json& one : answer.at("inventories")) found.push_back(one.value("name", ""));
        return found;
    }
    Error query_error(std::string_view resource, const std::string& condition) {
        return thrown_error([&] { names(resource, {condition}); });
    }

    InZone zone{"CST-8"};
    SetClock clock;
    SqliteDatabase database{":memory:"};
    Inventory inventory{database, clock};
};

}  // namespace hvagent::inventory
