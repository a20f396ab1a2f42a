#include "agent/metrics/shared_collection.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/fakes/movable_clock.h"

namespace hvagent::metrics {
namespace {

class SharedCollectionTest : public testing::Test {
protected:
    int collect() {
        ++calls;
        if (hold) released.get_future().wait();
        if (fails) throw Error(Code::timeout, "silent");
        return number;
    }
    SharedCollection<int>::Seen get(milliseconds patience = seconds(20)) { return collection.get(patience); }

    MovableClock clock;
    std::atomic<int> calls{0};
    std::atomic<bool> hold{false};
    std::atomic<bool> fails{false};
    std::atomic<int> number{1};
    std::promise<void> released;
    SharedCollection<int> collection{"numbers", clock, seconds(5), [this] { return collect(); }};
};

TEST_F(SharedCollectionTest, NothingIsCollectedUntilSomebodyAsks) {
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(*get().value, 1);
    EXPECT_EQ(calls, 1);
}

TEST_F(SharedCollectionTest, FiguresAreGivenAgainUntilTheyAreOld) {
    get();
    number = 2;
    clock.move(milliseconds(4000));
    EXPECT_EQ(*get().value, 1);
    EXPECT_GE(get().age, milliseconds(4000));
    clock.move(milliseconds(2000));
    EXPECT_EQ(*get().value, 2);
    EXPECT_EQ(calls, 2);
}

TEST_F(SharedCollectionTest, AllWhoAskMeanwhileShareOneCollection) {
    hold = true;
    std::vector<std::future<int>> readers;
    for (int i = 0; i < 8; ++i) readers.push_back(std::async(std::launch::async, [this] { return *get().value; }));
    while (calls == 0) std::this_thread::yield();
    released.set_value();
    for (auto& reader : readers) EXPECT_EQ(reader.get(), 1);
    EXPECT_EQ(calls, 1);
}

TEST_F(SharedCollectionTest, OldFiguresMustDoWhenNewOnesTakeTooLong) {
    get();
    clock.move(seconds(60));
    hold = true;
    const auto late = get(milliseconds(20));
    EXPECT_TRUE(late.failed);
    EXPECT_EQ(*late.value, 1);
    EXPECT_GE(late.age, seconds(60));
    get(milliseconds(20));
    EXPECT_EQ(calls, 2) << "the one that hangs is waited for, not doubled";
    number = 2;
    released.set_value();
    EXPECT_EQ(*get().value, 2);
    EXPECT_FALSE(get().failed);
}

TEST_F(SharedCollectionTest, AFailureIsToldAndNotRepeatedAtOnce) {
    fails = true;
    EXPECT_TRUE(get().failed);
    EXPECT_EQ(get().value, nullptr);
    EXPECT_EQ(calls, 1);
    clock.move(seconds(6));
    fails = false;
    EXPECT_FALSE(get().failed);
    EXPECT_EQ(*get().value, 1);
}

}  // namespace
}  // namespace hvagent::metrics
