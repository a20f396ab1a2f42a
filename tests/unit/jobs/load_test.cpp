#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class JobLoad : public JobsTest {};

TEST_F(JobLoad, AStormOfFiveThousandJobsNeedsNoMoreThreadsThanTheClassesAllow) {
    std::atomic<int> runs{0};
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    handle = [&](Job&, const Work&) {
        most = std::max(most.load(), ++now);
        ++runs;
        --now;
        return json::object();
    };
    settings.webhook_retry = seconds(2);
    start();
    const char* operations[] = {"DoQuick", "DoPower", "DoCopy", "DoMigrate"};
    std::vector<VmId> vms;
    for (int i = 0; i < 100; ++i) vms.push_back(VmId::make());
    std::vector<std::thread> clients;
    std::mutex mutex;
    std::vector<JobId> jobs;
    std::size_t most_threads = 0;
    for (std::size_t c = 0; c < 5; ++c) {
        clients.emplace_back([&, c] {
            for (std::size_t i = 0; i < 1000; ++i) {
                Submission one = submission(operations[i % 4], vms[(i * 7 + c) % vms.size()]);
                if (i % 10 == 0) one.webhook = "http://client/hook";
                const JobId id = engine->submit(one);
                const std::lock_guard lock(mutex);
                jobs.push_back(id);
                most_threads = std::max(most_threads, engine->load().worker_threads);
            }
        });
    }
    for (std::thread& client : clients) client.join();
    for (const JobId& job : jobs) ASSERT_EQ(result_of(job).state, JobStatus::succeeded);
    EXPECT_EQ(runs, 5000);
    EXPECT_LE(most_threads, 20u);
    EXPECT_LE(most, 20);
    EXPECT_TRUE(receivers.wait_for_posts(500));
    EXPECT_EQ(engine->load().waiting, 0u);
    EXPECT_EQ(engine->load().running, 0u);
}

TEST_F(JobLoad, HundredsOfWaitingJobsHoldNoThread) {
    handle = [&](Job&, const Work&) {
        gate.pass();
        return json::object();
    };
    start();
    const VmId vm = VmId::make();
    JobId last;
    for (int i = 0; i < 300; ++i) last = submit("DoQuick", vm);
    EXPECT_LE(engine->load().worker_threads, 2u);
    EXPECT_EQ(engine->load().waiting, 299u);
    gate.open();
    EXPECT_TRUE(engine->wait(last, std::chrono::steady_clock::now() + seconds(60)));
}

TEST_F(JobLoad, AnIdleEngineHasNoWorkerThreads) {
    settings.thread_idle = milliseconds(10);
    start();
    std::vector<JobId> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(submit("DoQuick", VmId::make()));
    for (const JobId& job : jobs) result_of(job);
    const Moment end = soon();
    while (engine->load().worker_threads > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(engine->load().worker_threads, 0u);
}

TEST_F(JobLoad, SubmitsAndCancelsDuringStopsAndStartsLoseNoJob) {
    std::mutex mutex;
    std::map<JobId, int> runs;  // that came to their end
    handle = [&](Job& job, const Work&) {
        job.progress(10, "working");
        job.cancellation().check();
        const std::lock_guard lock(mutex);
        ++runs[job.id()];
        return json::object();
    };
    start();
    std::atomic<bool> enough{false};
    std::vector<JobId> accepted;
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
        clients.emplace_back([&, c] {
            const VmId vm = VmId::make();
            for (int i = 0; !enough; ++i) {
                try {
                    const JobId id = submit("DoQuick", vm);
                    {
                        const std::lock_guard lock(mutex);
                        accepted.push_back(id);
                    }
                    if (i % 3 == c % 3) engine->cancel(id);
                    engine->find(id);
                } catch (const Error& error) {
                    ASSERT_EQ(error.code(), Code::not_ready);
                }
            }
        });
    }
    for (int i = 0; i < 10; ++i) {
        std::this_thread::sleep_for(milliseconds(20));
        engine->stop();
        engine->start();
    }
    enough = true;
    for (std::thread& client : clients) client.join();
    EXPECT_GT(accepted.size(), 20u);
    for (const JobId& id : accepted) {
        const JobStatus status = result_of(id);
        const std::lock_guard lock(mutex);
        if (status.state == JobStatus::succeeded) {
            ASSERT_EQ(runs[id], 1);
        } else {
            ASSERT_EQ(code_of(status), "LONG_JOB.1000");
        }
    }
}

}  // namespace
}  // namespace hvagent::jobs
