#include "agent/http/transport/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace hvagent::http {
namespace {

TEST(WorkerPool, GrowsToItsLimitAndNoFurther) {
    WorkerPool pool(3);
    std::latch all_run(3), go_on(1), done(10);
    std::atomic<int> running{0}, most{0};
    for (int i = 0; i < 10; ++i)
        pool.run([&] {
            const int now = ++running;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
            if (all_run.try_wait()) {
                --running;
                done.count_down();
                return;
            }
            all_run.arrive_and_wait();
            go_on.wait();
            --running;
            done.count_down();
        });
    all_run.wait();
    EXPECT_EQ(pool.threads(), 3u);
    go_on.count_down();
    done.wait();
    EXPECT_EQ(most, 3);
}

TEST(WorkerPool, ThreadsWithoutWorkGo) {
    WorkerPool pool(4, milliseconds(1));
    for (int round = 0; round < 20; ++round) {
        std::latch done(1);
        ASSERT_TRUE(pool.run([&done] { done.count_down(); }));
        done.wait();
    }
    const Moment limit = std::chrono::steady_clock::now() + seconds(10);
    while (pool.threads() > 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    EXPECT_EQ(pool.threads(), 0u);
    std::latch again(1);
    ASSERT_TRUE(pool.run([&again] { again.count_down(); }));
    again.wait();
}

TEST(WorkerPool, StoppingWaitsForWhatRunsAndDropsWhatWaits) {
    std::atomic<int> finished{0};
    std::latch begun(1);
    std::latch go_on(1);
    WorkerPool pool(1);
    pool.run([&] {
        begun.count_down();
        go_on.wait();
        ++finished;
    });
    begun.wait();
    pool.run([&finished] { finished += 100; });
    std::thread stopper([&pool] { pool.stop(); });
    go_on.count_down();
    stopper.join();
    EXPECT_EQ(finished % 100, 1) << "the running task was cut";
    EXPECT_FALSE(pool.run([] {}));
}

}  // namespace
}  // namespace hvagent::http
