#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class JobOrder : public JobsTest {
protected:
    void note(const std::string& what) {
        const std::lock_guard lock(mutex_);
        notes_.push_back(what);
    }
    std::vector<std::string> notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> notes_;
};

TEST_F(JobOrder, JobsOfOneVmRunOneAfterAnotherAsTheyCame) {
    std::atomic<int> at_once{0};
    handle = [&](Job&, const Work& work) {
        EXPECT_EQ(++at_once, 1);
        note(work.text);
        --at_once;
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    std::vector<std::string> expected;
    JobId last;
    for (int i = 0; i < 50; ++i) {
        expected.push_back(std::to_string(i));
        last = submit(i % 2 ? "DoQuick" : "DoPower", vm, {{"text", expected.back()}});
    }
    result_of(last);
    EXPECT_EQ(notes(), expected);
}

TEST_F(JobOrder, JobsOfDifferentVmsRunAtTheSameTime) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    start();
    const JobId one = submit("DoQuick", VmId::make());
    const JobId two = submit("DoQuick", VmId::make());
    EXPECT_TRUE(gate.wait_for(2));
    EXPECT_EQ(engine->find(one)->state, JobStatus::running);
    gate.open();
    result_of(one);
    result_of(two);
}

TEST_F(JobOrder, AJobOfTwoVmsWaitsForBothAndHoldsBothBack) {
    handle = [&](Job& job, const Work& work) {
        note(work.text + " starts");
        if (work.text == "first") gate.pass(job);
        note(work.text + " ends");
        return json::object();
    };
    start();
    const VmId a = VmId::make();
    const VmId b = VmId::make();
    submit("DoQuick", a, {{"text", "first"}});
    ASSERT_TRUE(gate.wait_for(1));
    const JobId both = submit("DoQuick", b, {{"text", "both"}, {"otherUuid", a.str()}});
    const JobId last = submit("DoQuick", b, {{"text", "last"}});
    EXPECT_EQ(engine->find(both)->state, JobStatus::waiting);
    EXPECT_EQ(engine->find(last)->state, JobStatus::waiting);
    gate.open();
    result_of(last);
    EXPECT_EQ(notes(), (std::vector<std::string>{"first starts", "first ends", "both starts", "both ends", "last starts",
                                                 "last ends"}));
}

TEST_F(JobOrder, AJobThatNamesOneVmTwiceDoesNotWaitForItself) {
    start();
    const VmId vm = VmId::make();
    EXPECT_EQ(result_of(submit("DoQuick", vm, {{"otherUuid", vm.str()}})).state, JobStatus::succeeded);
}

TEST_F(JobOrder, AClassRunsNoMoreThanItsLimitAndStarvesNoOther) {
    std::atomic<int> copies{0};
    std::atomic<int> most_copies{0};
    handle = [&](Job&, const Work& work) {
        if (work.text != "copy") return json::object();
        most_copies = std::max(most_copies.load(), ++copies);
        gate.pass();
        --copies;
        return json::object();
    };
    start();
    std::vector<JobId> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(submit("DoCopy", VmId::make(), {{"text", "copy"}}));
    ASSERT_TRUE(gate.wait_for(2));
    for (const char* other : {"DoQuick", "DoPower", "DoMigrate"}) result_of(submit(other, VmId::make()));
    EXPECT_EQ(gate.here(), 2);
    gate.open();
    for (const JobId& job : jobs) result_of(job);
    EXPECT_EQ(most_copies, 2);
}

}  // namespace
}  // namespace hvagent::jobs
