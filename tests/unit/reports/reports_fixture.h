// A store with a host and a VM, and controllers that remember what they were sent.
#pragma once
#include <gtest/gtest.h>

#include "agent/reports/reporter.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/movable_clock.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::reports {

class ReportsTest : public testing::Test {
public:
    ReportsTest() {
        inventory.migrate();
        Host record;
        record.uuid = host;
        record.name = "h1";
        inventory.insert(record);
        settings.link.first_pause = milliseconds(1);
        settings.link.longest_pause = milliseconds(20);
        settings.link.wish_distance = milliseconds(1);
    }
    Reporter& start() {
        reporter = std::make_unique<Reporter>(database, inventory, http, clock, host, settings);
        reporter->describe_guests_with(guest_of);
        reporter->open();
        reporter->start();
        return *reporter;
    }
    VmId add_vm() {
        Vm record;
        record.uuid = VmId::make();
        record.name = "web";
        inventory.insert(record);
        return record.uuid;
    }
    void observe(const VmId& vm, VmState state, const std::string& reason) {
        inventory.observe<Vm>(vm, [&](Vm& record) {
            record.observed = state;
            record.observed_reason = reason;
            record.observed_at = clock.now();
        });
    }
    // The bodies that came to `url`.
    std::vector<json> bodies(const std::string& url = there) const {
        std::vector<json> found;
        for (const auto& post : http.posts())
            if (post.url == url) found.push_back(json::parse(post.body));
        return found;
    }
    // Waits until a body holds what `is_it` looks for.
    bool arrives(const std::function<bool(const json&)>& is_it, const std::string& url = there) const {
        for (int round = 0; round < 2000; ++round) {
            for (const json& body : bodies(url))
                if (is_it(body)) return true;
            std::this_thread::sleep_for(milliseconds(5));
        }
        return false;
    }
    // Waits until the only controller has confirmed something after its last failure.
    bool recovers() const {
        for (int round = 0; round < 2000; ++round) {
            if (reporter->list_controllers()["inventories"][0]["failuresInARow"] == 0) return true;
            std::this_thread::sleep_for(milliseconds(5));
        }
        return false;
    }
    static bool tells(const json& body, const VmId& vm, const std::string& state) {
        if (!body.contains("vms")) return false;
        for (const json& one : body["vms"])
            if (one["uuid"] == vm.str() && one.value("state", "") == state) return true;
        return false;
    }

    inline static const std::string there = "http://controller:1/reports";
    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeFileSystem files;
    FakeHttpClient http{files};
    const HostId host = HostId::make();
    ReporterSettings settings;
    GuestOf guest_of;
    std::unique_ptr<Reporter> reporter;
};

}  // namespace hvagent::reports
