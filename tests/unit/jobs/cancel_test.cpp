#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class CancelJob : public JobsTest {
protected:
    void SetUp() override {
        handle = [this](Job& job, const Work&) {
            ++runs;
            gate.pass(job);
            return json{{"done", true}};
        };
        start();
        vm = VmId::make();
    }
    JobId submit_for(milliseconds timeout) {
        Submission one = submission("DoPower", vm);
        one.timeout = timeout;
        return engine->submit(one);
    }
    std::atomic<int> runs{0};
    VmId vm;
};

TEST_F(CancelJob, AWaitingJobEndsAtOnceAndNeverRuns) {
    const JobId first = submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    const JobId second = submit("DoPower", vm);
    const JobId third = submit("DoPower", vm);
    EXPECT_EQ(engine->cancel(second), Cancelled::ended);
    EXPECT_EQ(code_of(result_of(second)), "LONG_JOB.1000");
    EXPECT_EQ(engine->cancel(second), Cancelled::finished_already);
    gate.open();
    EXPECT_EQ(result_of(third).state, JobStatus::succeeded);
    result_of(first);
    EXPECT_EQ(runs, 2);
}

TEST_F(CancelJob, ARunningJobEndsWhenItsHandlerNotices) {
    const JobId id = submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    EXPECT_EQ(engine->cancel(id), Cancelled::requested);
    const JobStatus status = result_of(id);
    EXPECT_EQ(code_of(status), "LONG_JOB.1000");
    EXPECT_FALSE(status.error->contains("cause"));
}

TEST_F(CancelJob, AHandlerThatTakesNoNoticeSucceeds) {
    handle = [this](Job&, const Work&) {
        gate.pass();
        return json{{"done", true}};
    };
    const JobId id = submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    EXPECT_EQ(engine->cancel(id), Cancelled::requested);
    gate.open();
    EXPECT_EQ(result_of(id).state, JobStatus::succeeded);
}

TEST_F(CancelJob, ACancellationThatADriverReportsInItsWordsIsStillOne) {
    handle = [this](Job& job, const Work&) -> json {
        try {
            gate.pass(job);
        } catch (const Error& error) {
            throw Error(Code::image_download, "the download stopped", error);
        }
        return json::object();
    };
    const JobId id = submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    engine->cancel(id);
    EXPECT_EQ(code_of(result_of(id)), "LONG_JOB.1000");
}

TEST_F(CancelJob, AnErrorAfterTheRequestThatHasNothingToDoWithItIsTold) {
    handle = [this](Job&, const Work&) -> json {
        gate.pass();
        throw Error(Code::io_failed, "the disk broke");
    };
    const JobId id = submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    engine->cancel(id);
    gate.open();
    const JobStatus status = result_of(id);
    EXPECT_EQ(code_of(status), "VM.1001");
    EXPECT_EQ(status.error->at("cause").at("details"), "the disk broke");
}

TEST_F(CancelJob, AnUnknownJobIsSaidToBeUnknown) {
    EXPECT_EQ(engine->cancel(JobId::make()), Cancelled::unknown_job);
}

TEST_F(CancelJob, ACancelThatCannotBeStoredLeavesTheJobInItsPlace) {
    submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    const JobId second = submit("DoPower", vm);
    database->full = true;
    EXPECT_EQ(thrown_error([&] { engine->cancel(second); }).code(), Code::io_failed);
    database->full = false;
    EXPECT_EQ(engine->find(second)->state, JobStatus::waiting);
    gate.open();
    EXPECT_EQ(result_of(second).state, JobStatus::succeeded);
}

TEST_F(CancelJob, AWaitingJobWhoseTimeIsOverSaysThatItNeverStarted) {
    submit("DoPower", vm);
    ASSERT_TRUE(gate.wait_for(1));
    const JobId second = submit_for(milliseconds(1500));
    clock.move(seconds(2));
    engine->check_times();
    const JobStatus status = result_of(second);
    EXPECT_EQ(code_of(status), "SYS.1001");
    EXPECT_EQ(details_of(status), "DoPower never started: its 1.5 s were over while it waited for earlier jobs");
    gate.open();
    EXPECT_EQ(result_of(submit("DoPower", vm)).state, JobStatus::succeeded);
    EXPECT_EQ(runs, 2);
}

TEST_F(CancelJob, ARunningJobWhoseTimeIsOverIsInterruptedByItself) {
    const JobId id = submit_for(milliseconds(30));
    const JobStatus status = result_of(id);
    EXPECT_EQ(code_of(status), "SYS.1001");
    EXPECT_EQ(details_of(status), "DoPower did not end within its 0.03 s: the job's time is over");
}

TEST_F(CancelJob, AJobThatEndsLateButWellSucceeds) {
    handle = [this](Job& job, const Work&) {
        EXPECT_THROW(gate.pass(job), Error);  // the timeout; the work was done in that moment
        return json{{"done", true}};
    };
    EXPECT_EQ(result_of(submit_for(milliseconds(20))).state, JobStatus::succeeded);
}

TEST_F(CancelJob, AHandlerThatWatchesTheDeadlineItselfTimesOutAlike) {
    handle = [this](Job& job, const Work&) -> json {
        clock.move(seconds(5));
        EXPECT_FALSE(job.cancellation().wanted());
        throw Error(Code::timeout, "the guest did not shut down");
    };
    const JobStatus status = result_of(submit_for(seconds(4)));
    EXPECT_EQ(code_of(status), "SYS.1001");
    EXPECT_NE(details_of(status).find("the guest did not shut down"), std::string::npos);
}

TEST_F(CancelJob, ATimeoutInsideTheWorkIsAFailureOfTheOperation) {
    handle = [](Job&, const Work&) -> json { throw Error(Code::timeout, "the guest agent is silent"); };
    const JobStatus status = result_of(submit("DoPower", vm));
    EXPECT_EQ(code_of(status), "VM.1001");
    EXPECT_EQ(status.error->at("cause").at("code"), "SYS.1001");
}

}  // namespace
}  // namespace hvagent::jobs
