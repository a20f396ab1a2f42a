// Readers beside a writer, many writers at once, and what is on disk after a restart.
#include <atomic>
#include <future>
#include <thread>

#include "tests/fakes/temp_directory.h"
#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

class StoreOnDisk : public testing::Test {
protected:
    StoreOnDisk() {
        inventory.migrate();
        Vm vm;
        vm.uuid = VmId(uuid(1));
        vm.name = "web-1";
        inventory.insert(vm);
    }
    TempDirectory directory;
    SetClock clock;
    std::unique_ptr<SqliteDatabase> database = std::make_unique<SqliteDatabase>(directory.file("store.db"));
    Inventory inventory{*database, clock};
};

TEST_F(StoreOnDisk, ReadersDoNotWaitForALongWriteAndSeeTheLastCommit) {
    std::promise<void> written;
    std::promise<void> may_end;
    std::thread writer([&] {
        inventory.transaction([&] {
            inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) {
                vm.name = "web-2";
                vm.observed = VmState::running;
            });
            written.set_value();
            may_end.get_future().wait();
        });
    });
    written.get_future().wait();
    // Were a reader to wait for the writer, this would never end: the writer waits for us.
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-1");
    EXPECT_EQ(inventory.vm_state(VmId(uuid(1))), VmState::stopped);
    EXPECT_TRUE(inventory.exists("VmInstance", uuid(1)));
    EXPECT_EQ(inventory.view("VmInstance", uuid(1))["name"], "web-1");
    EXPECT_EQ(inventory.query("VmInstance", {})["inventories"][0]["state"], "Stopped");
    may_end.set_value();
    writer.join();
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-2");
}

TEST_F(StoreOnDisk, NoChangeOfManyWritersIsLost) {
    constexpr int threads = 4;
    constexpr int rounds = 25;
    std::atomic<int> heard = 0;
    inventory.on_vm_change([&](const VmId&) { ++heard; });
    std::atomic<bool> done = false;
    std::thread reader([&] {
        while (!done) {
            const json vm = inventory.view("VmInstance", uuid(1));
            EXPECT_EQ(vm["cpuNum"], vm["memorySize"]);
        }
    });
    inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.cpus = 0, vm.memory = 0; });
    std::vector<std::thread> writers;
    for (int i = 0; i < threads; ++i)
        writers.emplace_back([&, i] {
            for (int round = 0; round < rounds; ++round) {
                inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { ++vm.cpus, ++vm.memory; });
                Vm own;
                own.uuid = VmId(uuid(1000 + i * rounds + round));
                inventory.insert(own);
            }
        });
    for (std::thread& writer : writers) writer.join();
    done = true;
    reader.join();
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).cpus, threads * rounds);
    EXPECT_EQ(heard, threads * rounds);
}

TEST_F(StoreOnDisk, WhatWasWrittenIsThereAfterARestart) {
    inventory.add_tag("VmInstance", uuid(1), "ha::NeverStop", "System");
    inventory.observe<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.observed = VmState::crashed; });
    database.reset();
    SqliteDatabase again(directory.file("store.db"));
    Inventory after(again, clock);
    after.migrate();
    EXPECT_EQ(after.get<Vm>(VmId(uuid(1))).observed, VmState::crashed);
    EXPECT_EQ(after.system_tag(uuid(1), "ha"), "NeverStop");
}

}  // namespace
}  // namespace hvagent::inventory
