#include "agent/state/keepers.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/error.h"
#include "tests/fakes/movable_clock.h"

namespace hvagent::state {
namespace {

// Jobs that a keeper asked for, and when.
class Requests {
public:
    void add(const VmId& vm) {
        const std::lock_guard lock(mutex_);
        vms_.push_back(vm);
        changed_.notify_all();
        if (refusals_ > 0) {
            --refusals_;
            throw Error(Code::not_ready, "too many jobs wait");
        }
    }
    bool wait_for(std::size_t count, milliseconds patience = seconds(10)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return vms_.size() >= count; });
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return vms_.size();
    }
    void refuse_next() {
        const std::lock_guard lock(mutex_);
        ++refusals_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<VmId> vms_;
    int refusals_ = 0;
};

class Keeping : public testing::Test {
protected:
    Keeping() { inventory.migrate(); }
    void TearDown() override { timer.stop(); }

    VmId add(const std::function<void(Vm&)>& change) {
        Vm vm;
        vm.uuid = VmId::make();
        change(vm);
        inventory.insert(vm);
        return vm.uuid;
    }
    // All that is due at the timer by now was done.
    void settle() {
        Requests done;
        timer.at(clock.moment(), [&] { done.add(VmId()); });
        ASSERT_TRUE(done.wait_for(1));
    }
    void pass(milliseconds time) {
        clock.move(time);
        settle();
    }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    Requests requests;
    Timer timer{clock};
};

class Ha : public Keeping {
protected:
    Ha() { timer.start(); }
    VmId add_down(const std::string& level = "NeverStop", const std::function<void(Vm&)>& change = {}) {
        const VmId vm = add([&](Vm& record) {
            record.should_run = true;
            if (change) change(record);
        });
        if (!level.empty()) inventory.add_tag("VmInstance", vm.str(), "ha::" + level, "System");
        return vm;
    }
    // The VM went down; it is started no earlier than after `delay`, and then.
    void expect_start_after(const VmId& vm, milliseconds delay) {
        const std::size_t before = requests.count();
        keeper.consider(vm);
        settle();
        pass(delay - seconds(20));
        EXPECT_EQ(requests.count(), before) << "started too early, not after " << delay.count() << " ms";
        pass(seconds(20));
        EXPECT_TRUE(requests.wait_for(before + 1)) << "not started after " << delay.count() << " ms";
        settle();
    }

    // So long that the real time of the test does not matter.
    HaSettings settings{seconds(100), seconds(350), seconds(1000)};
    HaKeeper keeper{inventory, timer, clock, settings, [this](const VmId& vm) { requests.add(vm); }};
};

TEST_F(Ha, WaitsTwiceAsLongWithEachTryUpToALimit) {
    const VmId vm = add_down();
    for (const int wait : {100, 200, 350, 350}) expect_start_after(vm, seconds(wait));
}

TEST_F(Ha, BeginsWithTheFirstDelayAgainAfterACalmTime) {
    const VmId vm = add_down();
    expect_start_after(vm, seconds(100));
    expect_start_after(vm, seconds(200));
    pass(seconds(1300));
    expect_start_after(vm, seconds(100));
}

TEST_F(Ha, StartsOnceHoweverOftenTheVmIsConsidered) {
    const VmId vm = add_down();
    for (int i = 0; i < 5; ++i) keeper.consider(vm);
    settle();
    pass(seconds(120));
    ASSERT_TRUE(requests.wait_for(1));
    pass(seconds(1000));
    EXPECT_EQ(requests.count(), 1u);
}

TEST_F(Ha, LeavesVmsAloneThatAreNotToRun) {
    add_down("OnHostFailure");
    add_down("");
    add_down("NeverStop", [](Vm& vm) { vm.should_run = false; });
    add_down("NeverStop", [](Vm& vm) { vm.intent = VmIntent::destroyed; });
    add_down("NeverStop", [](Vm& vm) { vm.observed = VmState::running; });
    add_down("NeverStop", [](Vm& vm) { vm.observed = VmState::unknown; });
    add_down("NeverStop", [](Vm& vm) { vm.transition = VmState::stopping; });
    for (const Vm& vm : inventory.list<Vm>()) keeper.consider(vm.uuid);
    settle();
    pass(seconds(1000));
    EXPECT_EQ(requests.count(), 0u);
}

TEST_F(Ha, StartsACrashedVmToo) {
    add_down("NeverStop", [](Vm& vm) { vm.observed = VmState::crashed; });
    keeper.consider_all();
    settle();
    pass(seconds(120));
    EXPECT_TRUE(requests.wait_for(1));
}

TEST_F(Ha, DoesNotStartAVmThatSomebodyStoppedMeanwhile) {
    const VmId vm = add_down();
    keeper.consider(vm);
    settle();
    inventory.modify<Vm>(vm, [](Vm& record) { record.should_run = false; });
    pass(seconds(120));
    EXPECT_EQ(requests.count(), 0u);
}

TEST_F(Ha, TriesAgainWhenNoJobIsTaken) {
    const VmId vm = add_down();
    requests.refuse_next();
    expect_start_after(vm, seconds(100));
    pass(seconds(220));
    EXPECT_TRUE(requests.wait_for(2));
}

class Expiry : public Keeping {
protected:
    VmId add_destroyed(milliseconds ago) {
        return add([&](Vm& vm) {
            vm.intent = VmIntent::destroyed;
            vm.destroyed_at = clock.now() - ago;
        });
    }
    void start() {
        timer.start();
        keeper.start();
        settle();
    }
    ExpiryKeeper keeper{timer,
                        clock,
                        {{"ExpungeVmInstance", seconds(1000), [this] { return destroyed_vms(inventory); }}},
                        [this](const std::string&, const nlohmann::json& arguments) {
                            const VmId vm(arguments.at("uuid").get<std::string>());
                            requests.add(vm);
                            inventory.remove<Vm>(vm);
                        }};
};

TEST_F(Expiry, ComesWhenTheLifetimeIsOverAndNotBefore) {
    add_destroyed(seconds(960));
    start();
    pass(seconds(20));
    EXPECT_EQ(requests.count(), 0u);
    pass(seconds(21));
    EXPECT_TRUE(requests.wait_for(1));
}

TEST_F(Expiry, SpareVmsThatWereNotDestroyed) {
    add([](Vm&) {});
    add_destroyed(seconds(2000));
    start();
    EXPECT_EQ(requests.count(), 1u);
    EXPECT_EQ(inventory.count<Vm>(), 1);
}

TEST_F(Expiry, LooksAtVolumesThatAreDeletedOnly) {
    for (const VolumeStatus status : {VolumeStatus::ready, VolumeStatus::not_instantiated, VolumeStatus::deleted}) {
        Volume volume;
        volume.uuid = VolumeId::make();
        volume.status = status;
        volume.deleted_at = clock.now();
        inventory.insert(volume);
    }
    const auto found = deleted_volumes(inventory);
    ASSERT_EQ(found.size(), 1u);
    const VolumeId uuid(found.front().arguments.at("uuid").get<std::string>());
    EXPECT_EQ(inventory.get<Volume>(uuid).status, VolumeStatus::deleted);
}

TEST_F(Expiry, OfOneVmDoesNotHangOnAnother) {
    add_destroyed(seconds(2000));
    add_destroyed(seconds(2000));
    requests.refuse_next();
    start();
    EXPECT_EQ(requests.count(), 2u);
    pass(seconds(61));
    EXPECT_TRUE(requests.wait_for(3)) << "the refused one is not tried again";
}

}  // namespace
}  // namespace hvagent::state
