#include "agent/jobs/workers.h"

#include <gtest/gtest.h>

#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

TEST(JobWorkers, GrowOnDemandUpToTheirBound) {
    Gate gate;
    std::atomic<int> done{0};
    Workers workers("test", 3, seconds(1));
    EXPECT_EQ(workers.threads(), 0u);
    for (int i = 0; i < 10; ++i)
        workers.run([&] {
            gate.pass();
            ++done;
        });
    EXPECT_TRUE(gate.wait_for(3));
    EXPECT_EQ(workers.threads(), 3u);
    EXPECT_EQ(gate.here(), 3);
    gate.open();
    workers.stop();
    EXPECT_EQ(done, 10);
    EXPECT_EQ(workers.threads(), 0u);
}

TEST(JobWorkers, EndWhenTheyHaveNothingToDo) {
    Workers workers("test", 3, milliseconds(1));
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> done{0};
        for (int i = 0; i < 3; ++i) workers.run([&] { ++done; });
        const Moment end = soon();
        while ((workers.threads() > 0 || done < 3) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        EXPECT_EQ(workers.threads(), 0u);
        EXPECT_EQ(done, 3);
    }
}

TEST(JobWorkers, AreUsedAgainWhileTheyAreIdle) {
    Workers workers("test", 8, seconds(10));
    std::set<std::thread::id> seen;
    std::mutex mutex;
    std::condition_variable changed;
    for (int i = 0; i < 20; ++i) {
        bool done = false;
        workers.run([&] {
            const std::lock_guard lock(mutex);
            seen.insert(std::this_thread::get_id());
            done = true;
            changed.notify_all();
        });
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_until(lock, soon(), [&] { return done; }));
        lock.unlock();
        std::this_thread::sleep_for(milliseconds(1));  // for the thread to lie down
    }
    EXPECT_LE(seen.size(), 2u);
}

TEST(JobWorkers, AnExceptionEndsTheTaskOnly) {
    Workers workers("test", 1, seconds(1));
    std::atomic<bool> done{false};
    workers.run([] { throw std::runtime_error("oh"); });
    workers.run([&] { done = true; });
    workers.stop();
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace hvagent::jobs
