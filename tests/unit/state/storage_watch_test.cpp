#include "agent/state/storage_watch.h"

#include <gmock/gmock.h>

#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_storage_files.h"
#include "tests/unit/state/watching.h"

namespace hvagent::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class StorageWatching : public Watching {
protected:
    StorageWatching() {
        inventory.migrate();
        files.prepare("/primary");
        PrimaryStorage storage;
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
    // The trial of a look has come to its end, and was judged.
    void await_trial() {
        std::promise<void> done;
        trials.begin("/primary", [&](const StorageTrial&) { done.set_value(); });
        done.get_future().wait();
        settle();
        settle();  // what the trial gave to the timer
    }
    void look_again() {
        pass(seconds(1001));
        await_trial();
    }
    void use(int percent) { disk.put("/primary/filler", {"", {}, Bytes{percent} * GiB}); }

    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeFileSystem disk{100 * GiB};
    FakeStorageFiles files{disk};
    StorageTrials trials{files};
    Told told;
    StorageWatchSettings settings{seconds(1000), seconds(500), 90};
    StorageWatch watch{
        inventory, trials,
        timer,     clock,
        settings,  [this](const std::string& event, const std::string& details) { told.add(event + " " + details); }};
};

TEST_F(StorageWatching, SaysNothingOfAHealthyStorage) {
    watch.start();
    settle();
    await_trial();
    look_again();
    EXPECT_THAT(told.all(), ElementsAre());
}

TEST_F(StorageWatching, TellsOnceThatAStorageIsNearlyFullAndOnceThatItHasRoom) {
    use(92);
    watch.start();
    settle();
    await_trial();
    look_again();
    EXPECT_THAT(told.all(), ElementsAre("StorageNearlyFull primary storage local (/primary): 8.0 GiB of 100.0 GiB left"));
    use(88);  // too near to the line to be good news
    look_again();
    EXPECT_EQ(told.all().size(), 1u);
    use(80);
    look_again();
    EXPECT_THAT(told.all().back(), StartsWith("StorageHasRoom primary storage local"));
    EXPECT_EQ(told.all().size(), 2u);
}

TEST_F(StorageWatching, TellsThatAStorageFailsAndRecovers) {
    watch.start();
    settle();
    await_trial();
    files.faults.fail_next("try_write", Error(Code::io_failed, "cannot write: Input/output error"));
    pass(seconds(1001));
    ASSERT_TRUE(told.wait_for(1));
    EXPECT_THAT(told.all().front(), HasSubstr("StorageIoError primary storage local (/primary): cannot write"));
    look_again();
    ASSERT_EQ(told.all().size(), 2u);
    EXPECT_EQ(told.all().back(), "StorageRecovered primary storage local (/primary)");
}

TEST_F(StorageWatching, TellsThatAStorageHangsAndWaitsForNone) {
    files.faults.hang("try_write");
    watch.start();
    settle();
    ASSERT_TRUE(files.faults.wait_until_hanging("try_write"));
    pass(seconds(501));
    EXPECT_THAT(told.all(), ElementsAre(HasSubstr("StorageLost primary storage local (/primary): it does not answer")));
    pass(seconds(5000));
    EXPECT_EQ(told.all().size(), 1u);
    files.faults.release("try_write");
    ASSERT_TRUE(told.wait_for(2));
    EXPECT_THAT(told.all().back(), StartsWith("StorageRecovered"));
}

TEST_F(StorageWatching, ForgetsAStorageThatIsNoMore) {
    use(95);
    watch.start();
    settle();
    await_trial();
    for (const PrimaryStorage& storage : inventory.list<PrimaryStorage>()) inventory.remove<PrimaryStorage>(storage.uuid);
    use(50);
    look_again();
    EXPECT_EQ(told.all().size(), 1u);
}

}  // namespace
}  // namespace hvagent::state
