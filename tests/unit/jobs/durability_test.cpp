#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class JobDurability : public JobsTest {};

TEST_F(JobDurability, AJobCostsOneFlushedWriteWhenItComesAndOneWhenItEnds) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    start();
    database->flushed = database->lazy = 0;
    const JobId id = submit("DoQuick", VmId::make());
    EXPECT_EQ(database->flushed, 1);
    ASSERT_TRUE(gate.wait_for(1));
    gate.open();
    result_of(id);
    EXPECT_EQ(database->flushed, 2);
    EXPECT_EQ(database->lazy, 1);
}

TEST_F(JobDurability, AFullDiskAtSubmitIsAnErrorAndNothingIsQueued) {
    std::atomic<int> runs{0};
    handle = [&](Job&, const Work&) {
        ++runs;
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    const JobId id = JobId::make();
    database->full = true;
    EXPECT_EQ(thrown_error([&] { submit_with_id("DoQuick", vm, id); }).code(), Code::io_failed);
    EXPECT_EQ(engine->load().waiting, 0u);
    EXPECT_FALSE(engine->find(id));
    database->full = false;
    submit_with_id("DoQuick", vm, id);  // the VM's queue is free
    result_of(id);
    EXPECT_EQ(runs, 1);
}

TEST_F(JobDurability, AJobWhoseFlushFailedIsNotRunLater) {
    std::atomic<int> runs{0};
    handle = [&](Job&, const Work&) {
        ++runs;
        return json::object();
    };
    start();
    database->flush_fails = true;
    EXPECT_EQ(thrown_error([&] { submit("DoQuick", VmId::make()); }).code(), Code::io_failed);
    database->flush_fails = false;
    start();
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs"), 0);
    EXPECT_EQ(runs, 0);
}

TEST_F(JobDurability, AnEndThatCannotBeStoredIsNotToldUntilItIs) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json{{"answer", 42}};
    };
    start();
    const JobId id = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    database->full = true;
    gate.open();
    const Moment end = soon();
    while (database->refused == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(engine->find(id)->state, JobStatus::running);
    database->full = false;
    EXPECT_EQ(result_of(id).result, (json{{"answer", 42}}));
}

TEST_F(JobDurability, FactsAreOnDiskWhenRememberReturnsAndGoWithTheJob) {
    std::int64_t facts = 0;
    int flushed = 0;
    std::optional<json> recalled;
    std::optional<json> unknown;
    handle = [&](Job& job, const Work&) {
        unknown = job.recall("root volume");
        const int before = database->flushed;
        job.remember("root volume", {{"path", "/a"}});
        job.remember("root volume", {{"path", "/b"}});
        flushed = database->flushed - before;
        facts = count_rows("SELECT COUNT(*) FROM job_facts");
        recalled = job.recall("root volume");
        return json::object();
    };
    start();
    result_of(submit("DoQuick", VmId::make()));
    EXPECT_FALSE(unknown);
    EXPECT_EQ(flushed, 2);
    EXPECT_EQ(facts, 1);
    EXPECT_EQ(recalled, (json{{"path", "/b"}}));
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM job_facts"), 0);
}

TEST_F(JobDurability, ProgressOnlyGoesForwardAndIsStoredOnceASecond) {
    handle = [&](Job& job, const Work&) {
        const int before = database->lazy;
        for (int i = 0; i < 100; ++i) job.progress(50, "copying");
        EXPECT_EQ(database->lazy, before);
        clock.move(seconds(2));
        job.progress(30, "checking");
        EXPECT_EQ(database->lazy, before + 1);
        gate.pass();
        return json::object();
    };
    start();
    const JobId id = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    EXPECT_EQ(engine->find(id)->percent, 50);
    EXPECT_EQ(engine->find(id)->progress_text, "checking");
    EXPECT_EQ(count_rows("SELECT percent FROM jobs"), 50);
    gate.open();
    result_of(id);
}

}  // namespace
}  // namespace hvagent::jobs
