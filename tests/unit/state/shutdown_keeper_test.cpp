#include "agent/state/shutdown_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/error.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/fake_host_services.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr seconds patience{20};

// Guests on a host in memory; jobs are what the test does with what was submitted.
class HostShutdown : public testing::Test {
protected:
    HostShutdown() {
        inventory.migrate();
        states.begin();
        world.observer().start(states);
    }
    ~HostShutdown() override {
        if (keeper) keeper->stop();
        world.observer().stop();
    }

    VmId add_running(const std::string& name, const std::string& ha = "") {
        Vm vm;
        vm.uuid = VmId::make();
        vm.name = name;
        vm.created = clock.now() + milliseconds(++added);
        inventory.insert(vm);
        if (!ha.empty()) inventory.add_tag("VmInstance", vm.uuid.str(), "ha::" + ha, "System");
        VmSpec spec;
        spec.vm = vm.uuid;
        spec.cpus = 1;
        spec.memory = GiB;
        world.definitions().define(spec);
        world.power().start(vm.uuid, false);
        world.settle();
        return vm.uuid;
    }
    ShutdownKeeper& begin(ShutdownSettings settings = {}) {
        keeper.reset();
        keeper = std::make_unique<ShutdownKeeper>(
            ShutdownParts{inventory, states, world.power(), services, clock,
                          [this](const std::string& operation, const nlohmann::json& arguments) {
                              submit(operation, VmId(arguments.at("uuid").get<std::string>()));
                          },
                          [this](const std::string& event, const std::string& details) {
                              const std::lock_guard lock(mutex);
                              told.push_back(event + (details.empty() ? "" : ": " + details));
                              changed.notify_all();
                          }},
            settings);
        keeper->start();
        return *keeper;
    }
    void submit(const std::string& operation, const VmId& vm) {
        const std::string name = inventory.get<Vm>(vm).name;
        if (operation == "StopVmInstance" && obeys) world.power().request_shutdown(vm, ShutdownMethod::acpi);
        const std::lock_guard lock(mutex);
        submitted.push_back((operation == "StopVmInstance" ? "stop " : "start ") + name);
        changed.notify_all();
    }
    template <class Holds>
    bool await(Holds holds) {
        const Moment end = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < end) {
            {
                std::unique_lock lock(mutex);
                if (holds()) return true;
                changed.wait_for(lock, milliseconds(20));
            }
        }
        return false;
    }
    bool await_release() {
        return await([&] { return !services.is_held(); });
    }
    std::vector<std::string> seen_jobs() {
        const std::lock_guard lock(mutex);
        return submitted;
    }

    SystemClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeHost world{clock};
    FakeHostServices services;
    VmStates states{inventory, world.observer(), clock, HostId("host")};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> submitted, told;
    bool obeys = true;
    int added = 0;
    std::unique_ptr<ShutdownKeeper> keeper;
};

TEST_F(HostShutdown, StopsTheYoungestFirstAndNeverStopVmsLastThenLetsTheHostGo) {
    add_running("old", "NeverStop");
    add_running("middle");
    add_running("young");
    services.gives = seconds(60);
    begin();
    EXPECT_TRUE(services.is_held());
    services.announce_shutdown();
    ASSERT_TRUE(await_release());
    EXPECT_THAT(seen_jobs(), ElementsAre("stop young", "stop middle", "stop old"));
    EXPECT_THAT(told, ElementsAre("HostShutsDown: 3 VMs run here and are stopped",
                                  "HostGuestsStopped: 3 VMs were stopped, 0 run still"));
}

TEST_F(HostShutdown, WhatRanComesBackAtTheNextBootTheLastStoppedFirst) {
    add_running("a");
    const VmId down = add_running("down");
    add_running("b");
    world.power_off_by_guest(down);
    world.settle();
    begin();
    services.announce_shutdown();
    ASSERT_TRUE(await_release());
    keeper->stop();
    submitted.clear();
    services.boot = "boot-2";
    services.down = false;
    begin();
    ASSERT_TRUE(await([&] { return submitted.size() == 2; }));
    EXPECT_THAT(seen_jobs(), ElementsAre("start a", "start b"));
    keeper->stop();
    submitted.clear();
    begin();  // once, not at every start of the daemon
    keeper->stop();
    EXPECT_THAT(seen_jobs(), IsEmpty());
}

TEST_F(HostShutdown, ARestartOfTheDaemonOnTheWayDownStartsNothing) {
    add_running("a");
    begin();
    services.announce_shutdown();
    ASSERT_TRUE(await_release());
    keeper->stop();
    submitted.clear();
    for (const std::optional<bool> down : {std::optional(true), std::optional<bool>()}) {
        services.down = down;
        begin();
        keeper->stop();
    }
    EXPECT_THAT(seen_jobs(), IsEmpty());
    services.down = false;  // called off while the daemon was away
    begin();
    ASSERT_TRUE(await([&] { return submitted.size() == 1; }));
}

TEST_F(HostShutdown, WhatIsStuckLosesItsPlugBeforeTheTimeIsOver) {
    const VmId vm = add_running("stuck");
    obeys = false;
    begin({.budget = seconds(3)});
    const Moment began = clock.moment();
    services.announce_shutdown();
    EXPECT_LE(keeper->guests_stop_by(), began + seconds(3));
    ASSERT_TRUE(await_release());
    EXPECT_EQ(world.find(vm)->reason, "destroyed");
    EXPECT_THAT(told.back(), "HostGuestsStopped: 1 VMs were stopped, 0 run still");
}

TEST_F(HostShutdown, AHostThatGivesLessThanTheBudgetIsNotHeldLonger) {
    services.gives = seconds(6);
    begin({.budget = seconds(600)});
    add_running("a");
    obeys = false;
    const Moment began = clock.moment();
    services.announce_shutdown();
    EXPECT_LT(keeper->guests_stop_by() - began, seconds(6));
    world.power_off_by_guest(inventory.list<Vm>().front().uuid);
    EXPECT_TRUE(await_release());
}

TEST_F(HostShutdown, NothingStartsUntilItIsCalledOffAndThenWhatWasStoppedComesBack) {
    add_running("a");
    begin();
    EXPECT_NO_THROW(keeper->require_host_stays());
    services.announce_shutdown();
    EXPECT_EQ(thrown_error([&] { keeper->require_host_stays(); }).code(), Code::not_ready);
    ASSERT_TRUE(await_release());
    services.call_shutdown_off();
    EXPECT_NO_THROW(keeper->require_host_stays());
    EXPECT_EQ(keeper->guests_stop_by(), Moment::max());
    ASSERT_TRUE(await([&] { return submitted.size() == 2; }));
    EXPECT_THAT(seen_jobs(), ElementsAre("stop a", "start a"));
    EXPECT_TRUE(services.is_held());
}

TEST_F(HostShutdown, GuestsThatAreLeftAreNeitherStoppedNorStarted) {
    const VmId vm = add_running("a");
    begin({.stop_guests = false});
    EXPECT_FALSE(services.is_held());
    services.announce_shutdown();
    ASSERT_TRUE(await([&] { return !told.empty(); }));
    keeper->stop();
    EXPECT_THAT(seen_jobs(), IsEmpty());
    EXPECT_EQ(world.find(vm)->state, VmState::running);
    EXPECT_EQ(inventory.get<Vm>(vm).restart_order, 0);
}

TEST_F(HostShutdown, WithoutRestartTheStoppedStayDown) {
    add_running("a");
    begin({.restart = false});
    services.announce_shutdown();
    ASSERT_TRUE(await_release());
    EXPECT_EQ(inventory.list<Vm>().front().restart_order, 0);
}

}  // namespace
}  // namespace hvagent::state
