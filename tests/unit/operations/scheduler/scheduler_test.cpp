// The operations on schedulers, and the keeper that attends to them.
#include <condition_variable>

#include "agent/operations/scheduler/firing.h"
#include "agent/operations/scheduler/scheduler_keeper.h"
#include "tests/fakes/movable_clock.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

Time at(std::int64_t unix_seconds) {
    return Time(seconds(unix_seconds));
}

Scheduler every(int interval, int repeat_count = 0, std::int64_t start = 1000) {
    Scheduler scheduler;
    scheduler.uuid = SchedulerId("00112233445566778899aabbccddeeff");
    scheduler.interval = interval;
    scheduler.repeat_count = repeat_count;
    scheduler.start = at(start);
    return scheduler;
}

TEST(Firing, OfTypeSimpleIsAGrid) {
    EXPECT_EQ(next_firing(every(60), at(0)), at(1000));
    EXPECT_EQ(next_firing(every(60), at(999)), at(1000));
    EXPECT_EQ(next_firing(every(60), at(1000)), at(1060));
    EXPECT_EQ(next_firing(every(60), at(1059)), at(1060));
    EXPECT_EQ(next_firing(every(60), at(1060) + milliseconds(1)), at(1120));
    EXPECT_EQ(next_firing(every(60), at(100000)), at(100060));
}

TEST(Firing, OfTypeSimpleEnds) {
    EXPECT_EQ(next_firing(every(60, 1), at(0)), at(1000));
    EXPECT_EQ(next_firing(every(60, 1), at(1000)), std::nullopt);
    EXPECT_EQ(next_firing(every(60, 3), at(1119)), at(1120));
    EXPECT_EQ(next_firing(every(60, 3), at(1120)), std::nullopt);
    EXPECT_EQ(last_firing(every(60, 3)), at(1120));
    EXPECT_EQ(last_firing(every(60)), std::nullopt);
    EXPECT_EQ(last_firing(every(INT32_MAX, INT32_MAX)), std::nullopt) << "nobody will see it";
    EXPECT_TRUE(next_firing(every(INT32_MAX, INT32_MAX), at(1000)));
}

TEST(Firing, AskForTheSameSnapshotWheneverItIsMade) {
    Scheduler scheduler = every(60);
    scheduler.target = make_uuid();
    scheduler.job_data = R"({"name":"nightly","description":"d"})";
    const json request = snapshot_request(scheduler, at(1000));
    EXPECT_EQ(request, snapshot_request(scheduler, at(1000)));
    EXPECT_NE(request["resourceUuid"], snapshot_request(scheduler, at(1060))["resourceUuid"]);
    EXPECT_TRUE(is_resource_uuid(request["resourceUuid"].get<std::string>())) << request;
    EXPECT_TRUE(request["name"].get<std::string>().starts_with("nightly-19700101"));
    EXPECT_EQ(request["description"], "d");
}

class SchedulerApi : public Places {
protected:
    SchedulerApi() {
        start();
        Volume record;
        record.uuid = volume;
        record.name = "v";
        record.status = VolumeStatus::ready;
        inventory.insert(record);
        services->consider_schedulers = [this] { ++considered; };
    }
    json request(const json& more) {
        json sent{{"volumeUuid", volume.str()}, {"snapShotName", "s"}, {"schedulerName", "n"}};
        sent.update(more);
        return sent;
    }
    Error refusal(const json& more) { return failure_of("CreateVolumeSnapshotScheduler", request(more)); }

    VolumeId volume = VolumeId::make();
    int considered = 0;
};

TEST_F(SchedulerApi, MakesListsChangesAndDeletes) {
    const json made = call("CreateVolumeSnapshotScheduler",
                           request({{"type", "simple"}, {"interval", 5.0}, {"repeatCount", 3}, {"startTime", 4000000000}}));
    const json scheduler = made["inventory"];
    EXPECT_EQ(scheduler["targetResourceUuid"], volume.str());
    EXPECT_EQ(scheduler["schedulerInterval"], 5);
    EXPECT_EQ(scheduler["repeatCount"], 3);
    EXPECT_EQ(scheduler["state"], "Enabled");
    EXPECT_TRUE(scheduler.contains("stopTime"));
    EXPECT_TRUE(scheduler.contains("jobClassName"));
    EXPECT_EQ(considered, 1);
    const json uuid{{"uuid", scheduler["uuid"]}};
    json change = uuid;
    change["stateEvent"] = "disable";
    EXPECT_EQ(call("ChangeSchedulerState", change)["inventory"]["state"], "Disabled");
    EXPECT_EQ(only("QueryScheduler", {"state=Disabled"})["uuid"], scheduler["uuid"]);
    json rename = uuid;
    rename["schedulerName"] = "other";
    EXPECT_EQ(call("UpdateScheduler", rename)["inventory"]["schedulerName"], "other");
    EXPECT_EQ(call("DeleteScheduler", uuid), json::object());
    EXPECT_EQ(call("DeleteScheduler", uuid), json::object());
    EXPECT_EQ(query("QueryScheduler").size(), 0u);
}

TEST_F(SchedulerApi, RefusesWhatCannotBe) {
    for (const json& wrong : std::vector<json>{
             {{"type", "simple"}},
             {{"type", "weekly"}},
             {{"type", "simple"}, {"interval", -1}},
             {{"type", "simple"}, {"interval", 5}, {"cron", "0 0 0 * * ?"}},
             {{"type", "simple"}, {"interval", 5}, {"startTime", 1700000000000}},
             {{"type", "simple"}, {"interval", 5}, {"repeatCount", 2}, {"startTime", 1000}},
             {{"type", "cron"}},
             {{"type", "cron"}, {"cron", "0 0 0 * *"}},
             {{"type", "cron"}, {"cron", "0 0 0 30 2 ?"}},
             {{"type", "cron"}, {"cron", "0 0 0 * * ?"}, {"interval", 5}},
             {{"type", "cron"}, {"cron", "0 0 0 * * ?"}, {"repeatCount", 5}},
         })
        EXPECT_EQ(refusal(wrong).code(), Code::invalid_argument) << wrong;
    EXPECT_EQ(inventory.count<Scheduler>(), 0);
    inventory.modify<Volume>(volume, [](Volume& record) { record.shareable = true; });
    EXPECT_EQ(refusal({{"type", "simple"}, {"interval", 5}}).code(), Code::operation_failed);
}

// What the keeper gave to the engine.
class Engine {
public:
    JobId submit(const json& arguments) {
        const std::lock_guard lock(mutex_);
        if (refusals > 0) {
            --refusals;
            throw Error(Code::not_ready, "too many jobs wait");
        }
        requests.push_back(arguments);
        return JobId::make();
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return requests.size();
    }

    std::vector<json> requests;
    int refusals = 0;
    std::atomic<bool> finished{true};

private:
    std::mutex mutex_;
};

class SchedulerKeeperTest : public testing::Test {
protected:
    SchedulerKeeperTest() {
        inventory.migrate();
        Volume record;
        record.uuid = volume;
        record.status = VolumeStatus::ready;
        inventory.insert(record);
        timer.start();
    }
    ~SchedulerKeeperTest() override { timer.stop(); }

    SchedulerId add(const std::function<void(Scheduler&)>& change) {
        Scheduler scheduler;
        scheduler.uuid = SchedulerId::make();
        scheduler.target = volume.str();
        scheduler.job_data = R"({"name":"s"})";
        scheduler.interval = 60;
        scheduler.start = now();
        scheduler.last_fired = now() - seconds(1);
        change(scheduler);
        inventory.insert(scheduler);
        return scheduler.uuid;
    }
    Time now() { return std::chrono::floor<seconds>(clock.now()); }
    // All that is due at the timer by now was done.
    void settle() {
        std::mutex mutex;
        std::condition_variable changed;
        for (int i = 0; i < 2; ++i) {  // a look that is due makes a check that is due
            bool done = false;
            timer.at(clock.moment(), [&] {
                const std::lock_guard lock(mutex);
                done = true;
                changed.notify_all();
            });
            std::unique_lock lock(mutex);
            ASSERT_TRUE(changed.wait_for(lock, seconds(10), [&] { return done; }));
        }
    }
    void look() {
        keeper->look();
        settle();
    }
    void pass(milliseconds time) {
        clock.move(time);
        settle();
    }
    void begin_life() {
        keeper = std::make_unique<SchedulerKeeper>(
            inventory, timer, clock, [this](const json& arguments) { return engine.submit(arguments); },
            [this](const JobId&) { return engine.finished.load(); });
        look();
    }
    Scheduler record(const SchedulerId& id) { return inventory.get<Scheduler>(id); }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    Timer timer{clock};
    Engine engine;
    VolumeId volume = VolumeId::make();
    std::unique_ptr<SchedulerKeeper> keeper;
};

TEST_F(SchedulerKeeperTest, FiresAtOnceAndAtEveryInterval) {
    const SchedulerId id = add([](Scheduler&) {});
    begin_life();
    EXPECT_EQ(engine.count(), 1u);
    for (std::size_t i = 2; i < 6; ++i) {
        pass(seconds(60));
        EXPECT_EQ(engine.count(), i);
    }
    EXPECT_EQ(record(id).fired, 5);
    EXPECT_EQ(engine.requests.front()["volumeUuid"], volume.str());
}

TEST_F(SchedulerKeeperTest, StopsAfterTheLastOne) {
    add([](Scheduler& record) { record.repeat_count = 2; });
    begin_life();
    for (int i = 0; i < 5; ++i) pass(seconds(60));
    EXPECT_EQ(engine.count(), 2u);
}

TEST_F(SchedulerKeeperTest, WhatWasMissedIsDoneOnce) {
    const SchedulerId id = add([](Scheduler&) {});
    begin_life();
    keeper->look();
    settle();
    keeper.reset();  // its callbacks must not run any more
    timer.stop();
    clock.move(std::chrono::hours(5));
    Timer next_timer(clock);
    next_timer.start();
    SchedulerKeeper next(
        inventory, next_timer, clock, [this](const json& arguments) { return engine.submit(arguments); },
        [](const JobId&) { return true; });
    next.look();
    for (int i = 0; i < 500 && engine.count() < 2; ++i) std::this_thread::sleep_for(milliseconds(5));
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(engine.count(), 2u);
    EXPECT_GT(next_firing(record(id), record(id).last_fired), clock.now());
    next_timer.stop();
}

TEST_F(SchedulerKeeperTest, LeavesOutAVolumeThatWaitsToBeExpungedAndDiesWithIt) {
    const SchedulerId id = add([](Scheduler&) {});
    inventory.modify<Volume>(volume, [](Volume& record) { record.status = VolumeStatus::deleted; });
    begin_life();
    pass(seconds(60));
    EXPECT_EQ(engine.count(), 0u);
    inventory.modify<Volume>(volume, [](Volume& record) { record.status = VolumeStatus::ready; });
    pass(seconds(60));
    EXPECT_EQ(engine.count(), 1u) << "recovered";
    inventory.remove<Volume>(volume);
    pass(seconds(60));
    EXPECT_FALSE(inventory.find<Scheduler>(id));
}

TEST_F(SchedulerKeeperTest, DoesNotQueueUpBehindASlowSnapshot) {
    add([](Scheduler&) {});
    begin_life();
    engine.finished = false;
    for (int i = 0; i < 5; ++i) pass(seconds(60));
    EXPECT_EQ(engine.count(), 1u);
    engine.finished = true;
    pass(seconds(60));
    EXPECT_EQ(engine.count(), 2u);
}

TEST_F(SchedulerKeeperTest, TriesAgainSoonWhenTheJobWasNotAccepted) {
    add([](Scheduler& record) { record.interval = 3600; });
    engine.refusals = 2;
    begin_life();
    EXPECT_EQ(engine.count(), 0u);
    pass(seconds(11));
    pass(seconds(11));
    EXPECT_EQ(engine.count(), 1u);
    pass(seconds(11));
    EXPECT_EQ(engine.count(), 1u);
}

TEST_F(SchedulerKeeperTest, ADisabledOneRestsAndANewOneIsHeardOfAtOnce) {
    const SchedulerId id = add([](Scheduler& record) { record.state = EnabledState::disabled; });
    begin_life();
    pass(std::chrono::minutes(10));
    EXPECT_EQ(engine.count(), 0u);
    add([this](Scheduler& record) { record.start = now() + seconds(5); });
    look();
    EXPECT_EQ(engine.count(), 0u);
    pass(seconds(6));
    EXPECT_EQ(engine.count(), 1u);
    EXPECT_EQ(record(id).fired, 0);
}

TEST_F(SchedulerKeeperTest, AClockThatWasFarAheadDoesNotSilenceIt) {
    add([this](Scheduler& record) { record.last_fired = now() + std::chrono::hours(24 * 365); });
    begin_life();
    pass(seconds(61));
    EXPECT_EQ(engine.count(), 1u);
}

}  // namespace
}  // namespace hvagent::operations
