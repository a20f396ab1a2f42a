#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

// A daemon is killed by copying its file while the handlers stand still, and starting another one on the copy.
class JobRecovery : public JobsTest {
protected:
    void note(const std::string& what) {
        const std::lock_guard lock(mutex_);
        notes_.push_back(what);
    }
    std::vector<std::string> notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    // The next life; the handlers of this one come to their end on the old file.
    void kill_and_start(const std::string& file) {
        copy_store(file);
        gate.open();
        engine->stop();
        notes_.clear();
        start_on(file);
    }

private:
    std::mutex mutex_;
    std::vector<std::string> notes_;
};

TEST_F(JobRecovery, JobsThatHadStartedAreResumedBeforeTheOthersRunInOrder) {
    handle = [&](Job& job, const Work& work) {
        note(work.text + (job.resumed() ? " resumed" : " begun"));
        if (work.text == "first") gate.pass();
        return json{{"text", work.text}};
    };
    start();
    const VmId vm = VmId::make();
    const JobId first = submit("DoQuick", vm, {{"text", "first"}});
    ASSERT_TRUE(gate.wait_for(1));
    const JobId second = submit("DoQuick", vm, {{"text", "second"}});
    const JobId third = submit("DoQuick", vm, {{"text", "third"}});
    kill_and_start("killed.db");
    EXPECT_EQ(result_of(third).result, (json{{"text", "third"}}));
    EXPECT_EQ(result_of(first).state, JobStatus::succeeded);
    EXPECT_EQ(result_of(second).state, JobStatus::succeeded);
    EXPECT_EQ(notes(), (std::vector<std::string>{"first resumed", "second begun", "third begun"}));
}

TEST_F(JobRecovery, AResumedJobIsNotJudgedByTheStateItMadeItself) {
    const VmId vm = VmId::make();
    handle = [&](Job& job, const Work&) {
        things.set_state(vm, VmState::stopped);
        gate.pass();
        return json{{"resumed", job.resumed()}};
    };
    start();
    const JobId id = submit("StopIt", vm);
    ASSERT_TRUE(gate.wait_for(1));
    kill_and_start("killed.db");
    EXPECT_EQ(result_of(id).result, (json{{"resumed", true}}));
}

TEST_F(JobRecovery, FactsAndFinishedStepsAreRemembered) {
    handle = [&](Job& job, const Work&) {
        Flow(job)
            .once("choose address",
                  [&] {
                      note("choose");
                      job.remember("address", "10.0.0.7");
                  })
            .step("start",
                  [&] {
                      note("start");
                      gate.pass();
                  })
            .run();
        return json{{"address", *job.recall("address")}};
    };
    start();
    const JobId id = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    kill_and_start("killed.db");
    EXPECT_EQ(result_of(id).result, (json{{"address", "10.0.0.7"}}));
    EXPECT_EQ(notes(), (std::vector<std::string>{"start"}));
}

TEST_F(JobRecovery, AJobThatRanInEachOfThreeCrashesIsGivenUp) {
    handle = [&](Job&, const Work&) {
        note("run");
        gate.pass();
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    const JobId id = submit("DoQuick", vm);
    ASSERT_TRUE(gate.wait_for(1));
    copy_store("again.db");
    gate.open();
    engine.reset();
    database.reset();
    sqlite = std::make_unique<SqliteDatabase>(directory.file("again.db"));
    sqlite->write(Durability::flushed, [](SqlSession& session) { session.run("UPDATE jobs SET starts = 3"); });
    start_on("again.db");
    const JobStatus status = result_of(id);
    EXPECT_EQ(code_of(status), "LONG_JOB.1002");
    EXPECT_EQ(notes().size(), 1u);
    EXPECT_EQ(result_of(submit("DoQuick", vm)).state, JobStatus::succeeded);
}

TEST_F(JobRecovery, JobsSuspectedOfCrashingTheDaemonRunOneAtATime) {
    std::atomic<int> at_once{0};
    std::atomic<int> most{0};
    handle = [&](Job& job, const Work&) {
        if (!job.resumed()) gate.pass();
        most = std::max(most.load(), ++at_once);
        if (job.resumed()) std::this_thread::sleep_for(milliseconds(20));
        --at_once;
        return json::object();
    };
    start();
    std::vector<JobId> jobs;
    for (int i = 0; i < 4; ++i) jobs.push_back(submit("DoQuick", VmId::make()));
    ASSERT_TRUE(gate.wait_for(4));
    copy_store("again.db");
    gate.open();
    engine.reset();
    database.reset();
    most = 0;
    sqlite = std::make_unique<SqliteDatabase>(directory.file("again.db"));
    sqlite->write(Durability::flushed, [](SqlSession& session) { session.run("UPDATE jobs SET starts = 2"); });
    start_on("again.db");
    for (const JobId& job : jobs) EXPECT_EQ(result_of(job).state, JobStatus::succeeded);
    EXPECT_EQ(most, 1);
}

TEST_F(JobRecovery, AKillCountsAsACrashAndAnOrderlyStopDoesNot) {
    handle = [&](Job& job, const Work&) {
        gate.pass(job);
        return json::object();
    };
    start();
    submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    EXPECT_EQ(count_rows("SELECT starts FROM jobs"), 1);
    for (int i = 0; i < 5; ++i) {
        engine->stop();
        EXPECT_EQ(count_rows("SELECT starts FROM jobs"), 0);
        start();
        ASSERT_TRUE(gate.wait_for(1));
        EXPECT_EQ(count_rows("SELECT starts FROM jobs"), 1);
    }
    gate.open();
}

TEST_F(JobRecovery, AJobOfAnUnknownOperationIsInterruptedNotLost) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    start();
    const JobId id = submit("DoQuick", VmId::make());
    ASSERT_TRUE(gate.wait_for(1));
    copy_store("older.db");
    gate.open();
    engine.reset();
    database.reset();
    sqlite = std::make_unique<SqliteDatabase>(directory.file("older.db"));
    sqlite->write(Durability::flushed, [](SqlSession& session) { session.run("UPDATE jobs SET operation = 'Unheard'"); });
    start_on("older.db");
    EXPECT_EQ(code_of(result_of(id)), "LONG_JOB.1002");
}

TEST_F(JobRecovery, AWaitingJobThatExpiredDuringTheOutageNeverStarts) {
    handle = [&](Job&, const Work& work) {
        note(work.text);
        if (work.text == "first") gate.pass();
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    const JobId first = submit("DoQuick", vm, {{"text", "first"}});
    ASSERT_TRUE(gate.wait_for(1));
    const JobId second = submit("DoQuick", VmId::make(), {{"text", "second"}, {"otherUuid", vm.str()}});
    copy_store("killed.db");
    gate.open();
    engine->stop();
    clock.move(std::chrono::hours(1));  // longer than the timeout of the row
    Gate again;
    handle = [&](Job&, const Work& work) {
        note(work.text + " again");
        again.pass();
        return json::object();
    };
    start_on("killed.db");
    EXPECT_EQ(code_of(result_of(second)), "SYS.1001");
    ASSERT_TRUE(again.wait_for(1)) << "the started one looks at the truth first";
    again.open();
    EXPECT_EQ(result_of(first).state, JobStatus::succeeded);
}

// Really killed, at random moments, again and again: every job that was accepted ends once.
TEST_F(JobRecovery, SurvivesKillNineUnderLoad) {
    const std::string accepted = directory.file("accepted");
    const std::string ended = directory.file("ended");
    constexpr std::uintmax_t accepted_line = 32;
    const auto size_of = [](const std::string& path) -> std::uintmax_t {
        std::error_code none_yet;
        const auto size = std::filesystem::file_size(path, none_yet);
        return none_yet ? 0 : size;
    };
    for (int life = 0; life < 6; ++life) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            std::ofstream accepted_file(accepted, std::ios::app);
            std::mutex mutex;
            std::ofstream ended_file(ended, std::ios::app);
            handle = [&](Job& job, const Work& work) {
                std::this_thread::sleep_for(milliseconds(1));
                const std::lock_guard lock(mutex);
                ended_file << job.id().str() << " " << work.text << std::endl;
                return json::object();
            };
            start();
            std::vector<VmId> vms;
            for (int i = 0; i < 5; ++i) vms.push_back(VmId(std::string(31, 'a') + std::to_string(i)));
            for (int i = 0;; ++i) {
                const JobId id = submit("DoQuick", vms[static_cast<std::size_t>(i) % vms.size()]);
                accepted_file << id.str() << std::endl;
            }
        }
        // Some jobs into this life, in the middle of something.
        const auto enough = (static_cast<std::uintmax_t>(life) + 1) * 30 * (accepted_line + 1);
        const Moment end = soon();
        while (size_of(accepted) < enough && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(milliseconds(1));
        std::this_thread::sleep_for(std::chrono::microseconds(700 * life));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
    }
    std::atomic<int> resumed{0};
    handle = [&](Job& job, const Work&) {
        resumed += job.resumed();
        return json::object();
    };
    settings.max_crashes = 100;
    start();
    std::istringstream ids(read_file(accepted));
    int count = 0;
    for (std::string id; ids >> id; ++count) ASSERT_EQ(result_of(JobId(id)).state, JobStatus::succeeded) << id;
    EXPECT_GE(count, 6 * 30);
    EXPECT_LE(resumed, 5);

    // A handler may run again when its end was not stored, but only in a later life.
    std::map<std::string, int> runs;
    std::istringstream lines(read_file(ended));
    for (std::string id; lines >> id;) ++runs[id];
    int twice = 0;
    for (const auto& [id, times] : runs) twice += times > 1;
    EXPECT_LE(twice, 6 * 5);
}

}  // namespace
}  // namespace hvagent::jobs
