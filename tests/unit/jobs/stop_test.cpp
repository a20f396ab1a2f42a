#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class StopEngine : public JobsTest {};

TEST_F(StopEngine, WaitsForRunningJobsWithinTheGraceTime) {
    handle = [&](Job& job, const Work& work) {
        if (work.text.empty()) gate.pass(job);
        return json{{"done", true}};
    };
    settings.stop_grace = seconds(10);
    start();
    const JobId id = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    std::thread stopper([&] { engine->stop(); });
    Code refused = Code::internal;
    while (refused != Code::not_ready) {
        try {
            engine->submit_internal("DoQuick", {{"uuid", VmId::make().str()}, {"text", "no gate"}});
        } catch (const Error& error) {
            refused = error.code();
        }
    }
    gate.open();
    stopper.join();
    EXPECT_EQ(engine->find(id)->state, JobStatus::succeeded);
}

TEST_F(StopEngine, InterruptsACopyWhileAQuickJobMayEnd) {
    handle = [&](Job& job, const Work&) {
        gate.pass(job);
        return json::object();
    };
    settings.stop_grace = seconds(600);
    settings.stop_grace_long = milliseconds(1);
    start();
    const JobId copy = submit("DoCopy", VmId::make());
    const JobId quick = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(2));
    std::atomic<bool> stopped{false};
    std::thread stopper([&] {
        engine->stop();
        stopped = true;
    });
    EXPECT_TRUE(gate.wait_until_left(1));
    EXPECT_FALSE(stopped);
    gate.open();
    stopper.join();
    EXPECT_FALSE(engine->find(copy)->is_finished());
    EXPECT_EQ(engine->find(quick)->state, JobStatus::succeeded);
}

TEST_F(StopEngine, AnInterruptedJobIsResumedByTheNextStartAndNotUndone) {
    std::atomic<bool> undone{false};
    handle = [&](Job& job, const Work&) {
        Flow(job)
            .step(
                "copy", [&] { gate.pass(job); }, [&] { undone = true; })
            .run();
        return json{{"resumed", job.resumed()}};
    };
    start();
    const VmId vm = VmId::make();
    const JobId running = submit("DoQuick", vm);
    ASSERT_TRUE(gate.wait_for(1));
    const JobId waiting = submit("DoQuick", vm);
    engine->stop();
    EXPECT_FALSE(undone);
    EXPECT_FALSE(engine->find(running)->is_finished());
    EXPECT_FALSE(engine->find(waiting)->is_finished());
    EXPECT_EQ(thrown_error([&] { submit("DoQuick", vm); }).code(), Code::not_ready);

    gate.open();
    start();
    EXPECT_EQ(result_of(running).result, (json{{"resumed", true}}));
    EXPECT_EQ(result_of(waiting).result, (json{{"resumed", false}}));
}

TEST_F(StopEngine, AJobThatEndsDuringTheStopHasItsAnswer) {
    handle = [&](Job& job, const Work&) -> json {
        EXPECT_THROW(gate.pass(job), Error);
        throw Error(Code::io_failed, "the disk broke");
    };
    start();
    const JobId id = submit("DoPower", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    engine->stop();
    EXPECT_EQ(code_of(*engine->find(id)), "VM.1001");
}

TEST_F(StopEngine, CanBeStartedAgain) {
    start();
    const JobId before = submit("DoQuick", VmId::make());
    result_of(before);
    engine->stop();
    engine->stop();
    engine->start();
    EXPECT_EQ(result_of(submit("DoQuick", VmId::make())).state, JobStatus::succeeded);
    EXPECT_EQ(result_of(before).state, JobStatus::succeeded);
}

}  // namespace
}  // namespace hvagent::jobs
