// Who listens to changes of VM states hears of them after the commit, and only then.
#include <thread>

#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

class VmChanges : public StoreTest {
protected:
    VmChanges() {
        inventory.on_vm_change([this](const VmId& vm) {
            heard.push_back(vm.str());
            // Asked from another thread: what is not committed yet cannot be seen there.
            std::thread([&] { seen = inventory.vm_state(vm); }).join();
        });
    }
    std::vector<std::string> heard;
    std::optional<VmState> seen;
};

TEST_F(VmChanges, InsertChangeAndRemovalAreHeard) {
    add_vm(1, "web-1");
    EXPECT_THAT(heard, testing::ElementsAre(uuid(1)));
    EXPECT_EQ(seen, VmState::stopped);
    inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.transition = VmState::starting; });
    EXPECT_EQ(seen, VmState::starting);
    inventory.observe<Vm>(VmId(uuid(1)), [](Vm& vm) {
        vm.transition.reset();
        vm.observed = VmState::running;
    });
    EXPECT_EQ(seen, VmState::running);
    inventory.remove<Vm>(VmId(uuid(1)));
    EXPECT_EQ(seen, std::nullopt);
    EXPECT_EQ(heard.size(), 4u);
}

TEST_F(VmChanges, WhatIsNotTheStateIsNotHeard) {
    add_vm(1, "web-1");
    inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.name = "web-2"; });
    inventory.observe<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.observed_reason = "booted"; });
    inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.intent = VmIntent::destroyed; });
    // Behind the intent: the state on the wire stays Destroyed.
    inventory.observe<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.observed = VmState::crashed; });
    EXPECT_EQ(heard.size(), 2u);
}

TEST_F(VmChanges, ATransactionIsHeardWhenItIsOverEachVmOnce) {
    add_vm(1, "web-1");
    add_vm(2, "web-2");
    heard.clear();
    inventory.transaction([&] {
        inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.transition = VmState::starting; });
        inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.transition = VmState::stopping; });
        inventory.modify<Vm>(VmId(uuid(2)), [](Vm& vm) { vm.transition = VmState::starting; });
        inventory.modify<Vm>(VmId(uuid(2)), [](Vm& vm) { vm.transition.reset(); });
        EXPECT_TRUE(heard.empty());
    });
    EXPECT_THAT(heard, testing::ElementsAre(uuid(1)));
    EXPECT_EQ(seen, VmState::stopping);
}

TEST_F(VmChanges, WhatWasRolledBackIsNotHeard) {
    add_vm(1, "web-1");
    heard.clear();
    EXPECT_THROW(inventory.transaction([&] {
        inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.transition = VmState::starting; });
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_TRUE(heard.empty());
    // An inner one alone.
    inventory.transaction([&] {
        EXPECT_THROW(inventory.transaction([&] {
            inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.transition = VmState::starting; });
            throw std::runtime_error("no");
        }),
                     std::runtime_error);
        add_vm(2, "web-2");
    });
    EXPECT_THAT(heard, testing::ElementsAre(uuid(2)));
    add_vm(3, "web-3");
    EXPECT_THAT(heard, testing::ElementsAre(uuid(2), uuid(3)));
}

TEST_F(VmChanges, AListenerThatFailsHurtsNobody) {
    inventory.on_vm_change([](const VmId&) { throw std::runtime_error("no"); });
    int third = 0;
    inventory.on_vm_change([&](const VmId&) { ++third; });
    EXPECT_NO_THROW(add_vm(1, "web-1"));
    EXPECT_EQ(third, 1);
    EXPECT_EQ(heard.size(), 1u);
}

TEST_F(VmChanges, AListenerMayWriteItself) {
    bool done = false;
    inventory.on_vm_change([&](const VmId& vm) {
        if (std::exchange(done, true)) return;
        inventory.modify<Vm>(vm, [](Vm& changed) { changed.transition = VmState::starting; });
    });
    add_vm(1, "web-1");
    EXPECT_EQ(inventory.vm_state(VmId(uuid(1))), VmState::starting);
    EXPECT_EQ(heard.size(), 2u);
}

}  // namespace
}  // namespace hvagent::inventory
