// Deadlines, threads and connections of calls, with work that takes as long as the test wants. On libvirt's test driver.
#include "drivers/libvirt/call_runner.h"

#include <future>
#include <thread>

#include "drivers/libvirt/kvm_probe.h"
#include "tests/libvirt/host_under_test.h"

namespace hvagent::libvirt {
namespace {

using hvagent::testing::thrown_code;
using std::chrono::steady_clock;

// What calls wait at until the test lets them through. Outlives the test: stuck calls hold it.
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    int waiting = 0;

    void pass() {
        std::unique_lock lock(mutex);
        ++waiting;
        changed.notify_all();
        changed.wait(lock, [&] { return open; });
        --waiting;
        changed.notify_all();
    }
    void let_through() {
        const std::lock_guard lock(mutex);
        open = true;
        changed.notify_all();
    }
    bool wait_for(int count) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, seconds(10), [&] { return waiting == count; });
    }
};

class CallRunnerTest : public ::testing::Test {
protected:
    ~CallRunnerTest() override { gate->let_through(); }
    std::future<Code> stuck_call(const VmId& about, milliseconds timeout = milliseconds(100)) {
        return std::async(std::launch::async, [this, about, timeout, held = gate] {
            return thrown_code([&] { runner.run({"test", about}, timeout, [held](Session&) { held->pass(); }); });
        });
    }

    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    CallLimits limits{2, 4, milliseconds(1000)};
    CallRunner runner{std::make_shared<ConnectionSource>("test:///default"), limits};
    VmId vm = VmId::make(), other = VmId::make();
};

TEST_F(CallRunnerTest, ReturnsResultsAndErrorsOfTheCall) {
    EXPECT_EQ(runner.run({"test", vm}, seconds(5), [](Session& session) { return session.connection() != nullptr; }), true);
    EXPECT_EQ(thrown_code([&] {
                  runner.run({"test", vm}, seconds(5), [](Session&) { throw Error(Code::not_ready, "no"); });
              }),
              Code::not_ready);
    EXPECT_EQ(thrown_code([&] {
                  runner.run({"test", vm}, seconds(5), [](Session&) -> int { throw std::out_of_range("x"); });
              }),
              Code::internal);
}

TEST_F(CallRunnerTest, LeavesAtTheDeadlineAndSaysWhatHangs) {
    const auto begin = steady_clock::now();
    runner.diagnose_with([](const VmId&) { return "its QEMU is on holiday"; });
    const Error error = thrown_error([&] {
        runner.run({"suspend", vm}, milliseconds(200), [held = gate](Session&) { held->pass(); });
    });
    EXPECT_EQ(error.code(), Code::timeout);
    for (const char* part : {"suspend of VM ", vm.str().c_str(), "0.200 s", "outcome is unknown", "on holiday"})
        EXPECT_NE(error.details().find(part), std::string::npos) << error.details();
    EXPECT_LT(steady_clock::now() - begin, seconds(2));
}

TEST_F(CallRunnerTest, SendsNoSecondCallAboutAVmThatHangs) {
    EXPECT_EQ(stuck_call(vm).get(), Code::timeout);
    bool ran = false;
    const Error error = thrown_error([&] { runner.run({"resume", vm}, seconds(5), [&ran](Session&) { ran = true; }); });
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_NE(error.details().find("was not tried"), std::string::npos) << error.details();
    EXPECT_FALSE(ran);
    runner.run({"resume", other}, seconds(5), [](Session&) {});
    runner.run({"destroy", vm, true}, seconds(5), [](Session&) {});  // the way out
    gate->let_through();
    const auto deadline = steady_clock::now() + seconds(10);
    bool works = false;
    while (!works && steady_clock::now() < deadline) {
        try {
            runner.run({"resume", vm}, seconds(5), [](Session&) {});
            works = true;
        } catch (const Error&) {
            std::this_thread::sleep_for(milliseconds(5));
        }
    }
    EXPECT_TRUE(works) << "the late call was never struck off";
}

TEST_F(CallRunnerTest, StuckCallsLeaveRoomOnAnotherConnection) {
    std::vector<std::future<Code>> stuck;
    for (int i = 0; i < 4; ++i) stuck.push_back(stuck_call(VmId::make()));
    ASSERT_TRUE(gate->wait_for(4));
    for (auto& call : stuck) EXPECT_EQ(call.get(), Code::timeout);
    runner.run({"test", other}, seconds(5), [](Session&) {});
    EXPECT_EQ(runner.connections(), 2);
}

TEST_F(CallRunnerTest, ACallThatFoundNoConnectionInTimeIsNeverSent) {
    std::vector<std::future<Code>> stuck;
    for (int i = 0; i < 8; ++i) stuck.push_back(stuck_call(VmId::make()));
    ASSERT_TRUE(gate->wait_for(8));
    for (auto& call : stuck) EXPECT_EQ(call.get(), Code::timeout);
    auto ran = std::make_shared<std::atomic<bool>>(false);
    const Error error = thrown_error([&] {
        runner.run({"test", other}, milliseconds(100), [ran](Session&) { *ran = true; });
    });
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_EQ(error.details().find("outcome is unknown"), std::string::npos) << error.details();
    gate->let_through();
    ASSERT_TRUE(gate->wait_for(0));
    runner.run({"test", VmId::make()}, seconds(5), [](Session&) {});  // those before it in the queue have had their turn
    EXPECT_FALSE(*ran);
}

TEST_F(CallRunnerTest, NoMoreCallsAtATimeThanConnectionsBear) {
    std::vector<std::future<void>> calls;
    for (int i = 0; i < 12; ++i)
        calls.push_back(std::async(std::launch::async, [this, held = gate] {
            runner.run({"test", VmId::make()}, seconds(20), [held](Session&) { held->pass(); });
        }));
    ASSERT_TRUE(gate->wait_for(8));
    EXPECT_EQ(runner.threads(), 8);
    gate->let_through();
    for (auto& call : calls) call.get();
}

TEST(CallRunnerWithoutLibvirt, IsAnErrorWithinTheWaitingTime) {
    CallRunner runner(std::make_shared<ConnectionSource>("qemu+unix:///system?socket=/nowhere/libvirt-sock"),
                      CallLimits{2, 4, milliseconds(300)});
    const auto begin = steady_clock::now();
    const Error error = thrown_error([&] { runner.run({"test", VmId()}, seconds(20), [](Session&) {}); });
    EXPECT_EQ(error.code(), Code::host_connection);
    EXPECT_NE(error.details().find("/nowhere/libvirt-sock"), std::string::npos) << error.details();
    EXPECT_LT(steady_clock::now() - begin, seconds(5));
}

TEST(KvmProbe, EndsInTime) {
    const auto begin = steady_clock::now();
    const bool first = try_kvm().works;
    EXPECT_LT(steady_clock::now() - begin, milliseconds(5000));
    EXPECT_EQ(try_kvm(0).works, false) << "no guest runs in no time";
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        EXPECT_FALSE(first);
        EXPECT_NE(try_kvm().why_not, "");
    }
}

}  // namespace
}  // namespace hvagent::libvirt
