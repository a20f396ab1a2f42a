#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class JobHandler : public JobsTest {
protected:
    JobStatus run(const std::string& operation, Handler handler, const VmId& vm = VmId::make()) {
        handle = std::move(handler);
        start();
        return result_of(submit(operation, vm));
    }
};

TEST_F(JobHandler, AnErrorIsWrappedInTheCodeOfTheOperation) {
    const JobStatus status =
        run("DoPower", [](Job&, const Work&) -> json { throw Error(Code::host_start_vm, "QEMU says no"); });
    EXPECT_EQ(code_of(status), "VM.1001");
    EXPECT_EQ(status.error->at("cause").at("code"), "HOST.1005");
    EXPECT_EQ(status.error->at("cause").at("details"), "QEMU says no");
    EXPECT_EQ(status.body(), (json{{"error", *status.error}}));
}

TEST_F(JobHandler, AnUnknownExceptionIsAnInternalErrorWithItsText) {
    const JobStatus status = run("DoPower", [](Job&, const Work&) -> json { throw std::runtime_error("oh no"); });
    EXPECT_EQ(code_of(status), "VM.1001");
    EXPECT_EQ(status.error->at("cause").at("code"), "SYS.1000");
    EXPECT_EQ(status.error->at("cause").at("details"), "oh no");
}

TEST_F(JobHandler, AMissingResourceIsNotWrapped) {
    const VmId vm = VmId::make();
    things.remove(vm);
    const JobStatus status = run(
        "DoPower", [](Job&, const Work&) -> json { throw std::runtime_error("must not run"); }, vm);
    EXPECT_EQ(code_of(status), "SYS.1003");
    EXPECT_FALSE(status.error->contains("cause"));
}

TEST_F(JobHandler, DeletingWhatIsGoneSucceedsWithAnEmptyAnswer) {
    const VmId vm = VmId::make();
    things.remove(vm);
    const JobStatus status = run(
        "DeleteIt", [](Job&, const Work&) -> json { throw std::runtime_error("must not run"); }, vm);
    EXPECT_EQ(status.state, JobStatus::succeeded);
    EXPECT_EQ(status.result, json::object());
}

TEST_F(JobHandler, TheStateIsJudgedWhenTheJobRunsNotWhenItComes) {
    const VmId vm = VmId::make();
    handle = [&](Job&, const Work& work) {
        if (work.text == "stop it") {
            gate.pass();
            things.set_state(vm, VmState::stopped);
        }
        return json::object();
    };
    start();
    submit("DoPower", vm, {{"text", "stop it"}});
    ASSERT_TRUE(gate.wait_for(1));
    const JobId id = submit("StopIt", vm);
    gate.open();
    const JobStatus status = result_of(id);
    EXPECT_EQ(code_of(status), "VM.1002");
    EXPECT_EQ(status.error->at("cause").at("code"), "VM.1010");
}

TEST_F(JobHandler, BytesThatAreNoTextDoNotSpoilTheAnswer) {
    const JobStatus status = run("DoQuick", [](Job&, const Work&) { return json{{"console", "\xff\xfe"}}; });
    EXPECT_EQ(status.state, JobStatus::succeeded);
}

TEST_F(JobHandler, AHandlerWithoutAnAnswerAnswersAnEmptyObject) {
    EXPECT_EQ(run("DoQuick", [](Job&, const Work&) { return json(); }).result, json::object());
}

TEST_F(JobHandler, KnowsItsJob) {
    JobId seen;
    bool resumed = true;
    milliseconds left{0};
    handle = [&](Job& job, const Work&) {
        seen = job.id();
        resumed = job.resumed();
        left = std::chrono::duration_cast<milliseconds>(job.deadline() - clock.moment());
        return json::object();
    };
    start();
    Submission one = submission("DoQuick", VmId::make());
    one.timeout = seconds(7);
    const JobId id = engine->submit(one);
    EXPECT_EQ(result_of(id).timeout, seconds(7));
    EXPECT_EQ(seen, id);
    EXPECT_FALSE(resumed);
    EXPECT_GT(left, seconds(5));
    EXPECT_LE(left, seconds(7));
}

TEST_F(JobHandler, AFailedFlowUndoesItsStepsAndNamesTheOneThatFailed) {
    std::vector<std::string> undone;
    const JobStatus status = run("DoPower", [&](Job& job, const Work&) {
        Flow(job)
            .step(
                "create root volume", [] {}, [&] { undone.push_back("root volume"); })
            .step(
                "start", [] { throw Error(Code::host_start_vm, "no memory"); }, [&] { undone.push_back("start"); })
            .run();
        return json::object();
    });
    EXPECT_EQ(undone, (std::vector<std::string>{"start", "root volume"}));
    EXPECT_EQ(status.error->at("cause").at("details"), "start: no memory");
}

}  // namespace
}  // namespace hvagent::jobs
