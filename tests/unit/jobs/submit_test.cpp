#include <thread>

#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class SubmitJob : public JobsTest {};

TEST_F(SubmitJob, AnswersWithWhatTheHandlerReturned) {
    start();
    const JobId id = submit("DoQuick", VmId::make());
    const JobStatus status = result_of(id);
    EXPECT_EQ(status.state, JobStatus::succeeded);
    EXPECT_EQ(status.body(), (json{{"done", true}}));
    EXPECT_EQ(status.operation, "DoQuick");
    EXPECT_EQ(status.account, "account");
    EXPECT_EQ(status.percent, 100);
    EXPECT_TRUE(status.finished);
    EXPECT_FALSE(engine->find(JobId::make()));
}

TEST_F(SubmitJob, TheSameIdRunsOnceWhateverTheClientResends) {
    std::atomic<int> runs{0};
    handle = [&](Job&, const Work&) {
        ++runs;
        gate.pass();
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    const JobId id = JobId::make();
    EXPECT_EQ(submit_with_id("DoQuick", vm, id), id);
    ASSERT_TRUE(gate.wait_for(1));
    EXPECT_EQ(submit_with_id("DoQuick", vm, id), id);  // it runs
    gate.open();
    result_of(id);
    EXPECT_EQ(submit_with_id("DoQuick", vm, id), id);  // it is finished
    start();
    EXPECT_EQ(submit_with_id("DoQuick", vm, id), id);  // it was finished in an earlier life
    EXPECT_TRUE(result_of(id).is_finished());
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs"), 1);
}

TEST_F(SubmitJob, AnIdOfAnotherRequestIsRefusedByName) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    start();
    const JobId id = submit_with_id("DoQuick", VmId::make(), JobId::make());
    for (int i = 0; i < 2; ++i) {
        const Error error = thrown_error([&] { submit_with_id("DoQuick", VmId::make(), id); });
        EXPECT_EQ(error.code(), Code::bad_request);
        EXPECT_NE(error.details().find(id.str()), std::string::npos);
        gate.open();
        result_of(id);  // and once more when it is finished
    }
}

TEST_F(SubmitJob, ManyThreadsWithOneIdMakeOneJob) {
    std::atomic<int> runs{0};
    handle = [&](Job&, const Work&) {
        ++runs;
        return json::object();
    };
    start();
    for (int round = 0; round < 20; ++round) {
        runs = 0;
        const VmId vm = VmId::make();
        const JobId id = JobId::make();
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(submit_with_id("DoQuick", vm, id), id); });
        for (std::thread& thread : threads) thread.join();
        result_of(id);
        EXPECT_EQ(runs, 1);
    }
}

TEST_F(SubmitJob, ARefusedRequestBecomesAJobThatFailedAtOnce) {
    std::atomic<int> runs{0};
    handle = [&](Job&, const Work&) {
        ++runs;
        return json::object();
    };
    start();
    Submission refused = submission("DoPower", VmId::make(), {{"password", "secret"}});
    refused.id = JobId::make();
    refused.refused = Error(Code::invalid_argument, "parameter 'text' is required");
    refused.webhook = "http://client/hook";
    EXPECT_EQ(engine->submit(refused), *refused.id);
    EXPECT_EQ(engine->submit(refused), *refused.id);
    const JobStatus status = result_of(*refused.id);
    EXPECT_EQ(status.state, JobStatus::failed);
    EXPECT_EQ(code_of(status), "SYS.1007");
    EXPECT_EQ(details_of(status), "parameter 'text' is required");
    ASSERT_TRUE(receivers.wait_for_posts(1));
    EXPECT_EQ(receivers.posts()[0].headers["X-Job-Success"], "false");
    EXPECT_EQ(json::parse(receivers.posts()[0].body), (json{{"error", *status.error}}));
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs WHERE arguments LIKE '%secret%'"), 0);
}

TEST_F(SubmitJob, RefusesWhenTooManyWaitAndAcceptsAgainLater) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    settings.max_waiting = 3;
    start();
    const VmId vm = VmId::make();
    submit("DoQuick", vm);
    ASSERT_TRUE(gate.wait_for(1));
    for (int i = 0; i < 3; ++i) submit("DoQuick", vm);
    EXPECT_EQ(thrown_error([&] { submit("DoQuick", vm); }).code(), Code::not_ready);
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs"), 4);
    gate.open();
    JobId later;
    for (const JobStatus& job : engine->list({})) result_of(job.id);
    EXPECT_EQ(result_of(submit("DoQuick", vm)).state, JobStatus::succeeded);
}

TEST_F(SubmitJob, TheDaemonsOwnJobsAreJudgedAndRunLikeOthers) {
    std::string account = "unset";
    handle = [&](Job& job, const Work& work) {
        account = job.account();
        return json{{"text", work.text}};
    };
    start();
    const JobId id = engine->submit_internal("doquick", {{"uuid", VmId::make().str()}, {"text", "own"}});
    EXPECT_EQ(result_of(id).result, (json{{"text", "own"}}));
    EXPECT_EQ(account, "");
    EXPECT_EQ(thrown_error([&] { engine->submit_internal("DoQuick", json::object()); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { engine->submit_internal("NoSuchThing", json::object()); }).code(), Code::internal);
}

TEST_F(SubmitJob, ListsJobsLatestFirstWithSecretsMasked) {
    handle = [&](Job& job, const Work& work) {
        if (work.text == "stay") {
            job.progress(40, "halfway");
            gate.pass();
        }
        return json::object();
    };
    start();
    const JobId done = submit("DoQuick", VmId::make(), {{"password", "hunter2"}});
    result_of(done);
    const JobId running = submit("DoQuick", VmId::make(), {{"text", "stay"}, {"password", "hunter2"}});
    ASSERT_TRUE(gate.wait_for(1));

    const auto jobs = engine->list({});
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].id, running);
    EXPECT_EQ(jobs[0].state, JobStatus::running);
    EXPECT_EQ(jobs[0].percent, 40);
    EXPECT_EQ(jobs[0].progress_text, "halfway");
    EXPECT_EQ(jobs[0].arguments.at("password"), "******");
    EXPECT_EQ(jobs[1].id, done);
    EXPECT_EQ(jobs[1].arguments.at("password"), "******");
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs WHERE finished IS NOT NULL AND arguments LIKE '%hunter2%'"), 0);

    ListFilter unfinished;
    unfinished.unfinished_only = true;
    EXPECT_EQ(engine->list(unfinished).size(), 1u);
    ListFilter second;
    second.start = 1;
    second.limit = 1;
    EXPECT_EQ(engine->list(second).at(0).id, done);
    ListFilter stranger;
    stranger.account = "somebody else";
    EXPECT_TRUE(engine->list(stranger).empty());
    gate.open();
}

TEST_F(SubmitJob, LargeArgumentsReachTheHandlerWhole) {
    start();
    handle = [&](Job&, const Work& work) { return json{{"size", work.text.size()}}; };
    EXPECT_EQ(result_of(submit("DoQuick", VmId::make(), {{"text", std::string(100000, 'x')}})).result.at("size"), 100000);
}

TEST_F(SubmitJob, FinishedJobsAreForgottenAfterTheirLifetime) {
    start();
    const JobId old = submit("DoQuick", VmId::make());
    result_of(old);
    clock.move(std::chrono::hours(47));
    EXPECT_TRUE(engine->find(old));
    const JobId young = submit("DoQuick", VmId::make());
    result_of(young);
    clock.move(std::chrono::hours(2));
    EXPECT_FALSE(engine->find(old)) << "found although it expired";
    engine->check_times();
    const Moment end = soon();
    while (count_rows("SELECT COUNT(*) FROM jobs") != 1 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs"), 1);
    EXPECT_TRUE(engine->find(young));
}

}  // namespace
}  // namespace hvagent::jobs
