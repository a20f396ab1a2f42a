#include "agent/state/io_error_keeper.h"

#include <gmock/gmock.h>

#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/error.h"
#include "tests/fakes/fake_storage_files.h"
#include "tests/unit/state/watching.h"

namespace hvagent::state {
namespace {

using testing::ElementsAre;

class IoErrors : public Watching {
protected:
    IoErrors() {
        inventory.migrate();
        files.prepare("/primary");
        storage.uuid = PrimaryStorageId::make();
        storage.name = "local";
        storage.url = "/primary";
        inventory.insert(storage);
    }
    void TearDown() override {
        files.faults.release("try_write");
        Watching::TearDown();
        trials.stop();
    }
    VmId add_paused(std::string_view reason, const std::string& policy = "") {
        Vm vm;
        vm.uuid = VmId::make();
        vm.observed = VmState::paused;
        vm.observed_reason = reason;
        inventory.insert(vm);
        Volume volume;
        volume.uuid = VolumeId::make();
        volume.vm = vm.uuid;
        volume.primary_storage = storage.uuid;
        inventory.insert(volume);
        if (!policy.empty()) inventory.add_tag("VmInstance", vm.uuid.str(), "ioErrorPolicy::" + policy, "System");
        return vm.uuid;
    }
    void set(const VmId& vm, VmState state, std::string_view reason) {
        inventory.observe<Vm>(vm, [&](Vm& record) {
            record.observed = state;
            record.observed_reason = reason;
        });
        keeper.consider(vm);
        settle();
    }
    // What the keeper began was carried to its end.
    void settle_all() {
        settle();
        std::promise<void> done;
        trials.begin("/primary", [&](const StorageTrial&) { done.set_value(); });
        done.get_future().wait();
        settle();
        settle();
    }
    void pass_all(milliseconds time) {
        clock.move(time);
        settle_all();
    }

    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeFileSystem disk{100 * GiB};
    FakeStorageFiles files{disk};
    PrimaryStorage storage;
    StorageTrials trials{files};
    Told asked;
    // So long that the real time of the test does not matter.
    IoErrorSettings settings{"resume", seconds(100), seconds(350), seconds(1000), GiB};
    IoErrorKeeper keeper{
        inventory, timer,    clock,
        trials,    settings, {[this](const VmId&) { asked.add("resume"); }, [this](const VmId&) { asked.add("stop"); }}};
};

TEST_F(IoErrors, OfAHealthyStorageAreResumedAfterTheFirstDelay) {
    const VmId vm = add_paused(no_space_reason);
    keeper.consider(vm);
    settle();
    pass_all(seconds(80));
    EXPECT_THAT(asked.all(), ElementsAre());
    pass_all(seconds(21));
    ASSERT_TRUE(asked.wait_for(1));
    EXPECT_THAT(asked.all(), ElementsAre("resume"));
}

TEST_F(IoErrors, NeverTouchAVmThatSomebodyPaused) {
    for (const char* reason : {"user", "migration", "unknown", ""}) keeper.consider(add_paused(reason));
    settle();
    pass_all(seconds(5000));
    EXPECT_THAT(asked.all(), ElementsAre());
}

TEST_F(IoErrors, OfAVmThatWasPausedByItsUserMeanwhileAreForgotten) {
    const VmId vm = add_paused(io_error_reason);
    keeper.consider(vm);
    settle();
    set(vm, VmState::paused, "user");
    pass_all(seconds(5000));
    EXPECT_THAT(asked.all(), ElementsAre());
}

TEST_F(IoErrors, WaitForRoom) {
    disk.put("/primary/filler", {"", {}, 100 * GiB - MiB});
    const VmId vm = add_paused(no_space_reason);
    keeper.consider(vm);
    settle();
    pass_all(seconds(101));
    pass_all(seconds(201));
    pass_all(seconds(351));
    EXPECT_THAT(asked.all(), ElementsAre()) << "there is less room than io_error_room wants";
    disk.remove("/primary/filler");
    pass_all(seconds(351));
    EXPECT_TRUE(asked.wait_for(1));
}

TEST_F(IoErrors, WaitForAStorageThatTakesNoWrites) {
    const VmId vm = add_paused(io_error_reason);
    files.faults.fail_next("try_write", Error(Code::io_failed, "Input/output error"));
    keeper.consider(vm);
    settle();
    clock.move(seconds(101));
    settle();
    settle_all();
    EXPECT_THAT(asked.all(), ElementsAre());
    pass_all(seconds(201));
    EXPECT_TRUE(asked.wait_for(1));
}

TEST_F(IoErrors, WaitForAStorageThatHangsAndHoldUpNobody) {
    const VmId vm = add_paused(io_error_reason);
    files.faults.hang("try_write");
    keeper.consider(vm);
    settle();
    pass(seconds(101));
    ASSERT_TRUE(files.faults.wait_until_hanging("try_write"));
    pass(seconds(1000));  // the timer goes on
    EXPECT_THAT(asked.all(), ElementsAre());
    files.faults.release("try_write");
    EXPECT_TRUE(asked.wait_for(1));
}

TEST_F(IoErrors, ThatComeAgainAtOnceAreWaitedForLonger) {
    const VmId vm = add_paused(io_error_reason);
    keeper.consider(vm);
    settle();
    pass_all(seconds(101));
    ASSERT_TRUE(asked.wait_for(1));
    set(vm, VmState::running, "resumed after I/O error");
    set(vm, VmState::paused, io_error_reason);
    pass_all(seconds(150));
    EXPECT_EQ(asked.all().size(), 1u) << "the second delay is twice the first";
    pass_all(seconds(51));
    ASSERT_TRUE(asked.wait_for(2));
    set(vm, VmState::running, "resumed after I/O error");
    pass_all(seconds(2000));
    set(vm, VmState::paused, io_error_reason);
    pass_all(seconds(101));
    EXPECT_TRUE(asked.wait_for(3)) << "after a calm time the first delay is enough";
}

TEST_F(IoErrors, FollowThePolicyOfTheVm) {
    const VmId left = add_paused(io_error_reason, "leave");
    const VmId stopped = add_paused(io_error_reason, "stop");
    keeper.consider(left);
    keeper.consider(stopped);
    settle();
    pass_all(seconds(101));
    EXPECT_THAT(asked.all(), ElementsAre("stop"));
    inventory.remove_system_tags(left.str(), "ioErrorPolicy");
    for (const int wait : {201, 351, 351}) pass_all(seconds(wait));
    ASSERT_TRUE(asked.wait_for(2));
    EXPECT_EQ(asked.all().back(), "resume") << "its policy was changed";
}

}  // namespace
}  // namespace hvagent::state
