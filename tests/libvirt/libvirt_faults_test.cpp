// A libvirtd that dies, freezes or restarts, and QEMUs that freeze: what the driver does then. Real libvirtd and QEMU.
#include <signal.h>

#include <atomic>
#include <future>
#include <thread>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/host_under_test.h"
#include "tests/libvirt/lab.h"

namespace hvagent::testing {
namespace {

using std::chrono::steady_clock;

milliseconds since(steady_clock::time_point begin) {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

class LibvirtFaults : public ::testing::Test {
protected:
    void SetUp() override {
        lab = Lab::get();
        if (!lab) GTEST_SKIP() << Lab::why();
        settings.uri = lab->uri();
        settings.virt_type = "qemu";
        settings.call_timeout = milliseconds(3000);
        settings.query_timeout = milliseconds(3000);
        host = std::make_unique<libvirt::LibvirtHost>(settings, clock, images);
    }
    void TearDown() override {
        if (!host) return;
        for (const VmId& vm : made) {
            if (const pid_t qemu = Lab::qemu_of(vm)) kill(qemu, SIGCONT);
            // `host` may not have the answer of a call that hung.
            patient().power().destroy(vm);
            patient().definitions().undefine(vm);
        }
        host->observer().stop();
    }
    void observe() {
        host->observer().start(seen);
        ASSERT_TRUE(seen.wait_for_pictures(1));
    }
    VmId run_vm() {
        VmSpec spec;
        spec.vm = VmId::make();
        spec.memory = 32 * MiB;
        host->definitions().define(spec);
        made.push_back(spec.vm);
        patient().power().start(spec.vm, false);
        return spec.vm;
    }
    // With usual deadlines, for what is not the thing tested: this machine may be busy.
    libvirt::LibvirtHost& patient() {
        if (!patient_) {
            libvirt::LibvirtSettings usual;
            usual.uri = lab->uri();
            usual.virt_type = "qemu";
            patient_ = std::make_unique<libvirt::LibvirtHost>(usual, clock, images);
        }
        return *patient_;
    }

    SystemClock clock;
    QemuImg images{QemuImgSettings{}};
    Lab* lab = nullptr;
    libvirt::LibvirtSettings settings;
    Recorder seen;
    std::unique_ptr<libvirt::LibvirtHost> host, patient_;
    std::vector<VmId> made;
};

TEST_F(LibvirtFaults, AKilledLibvirtdIsSurvivedWithATruePicture) {
    const VmId running = run_vm();
    const VmId paused = run_vm();
    const VmId died = run_vm();
    host->power().suspend(paused);
    observe();
    lab->stop_libvirtd();
    ASSERT_TRUE(seen.wait_for_disconnects(1));
    EXPECT_FALSE(host->observer().connected());
    Lab::signal_qemu(died, SIGKILL);
    lab->start_libvirtd();
    const auto back = steady_clock::now();
    ASSERT_TRUE(seen.wait_for_pictures(2));
    EXPECT_LT(since(back), seconds(1));
    ASSERT_TRUE(seen.in_picture(running));
    EXPECT_EQ(seen.in_picture(running)->state, VmState::running);
    ASSERT_TRUE(seen.in_picture(paused));
    EXPECT_EQ(seen.in_picture(paused)->state, VmState::paused);
    // libvirtd may still be finding out about this one when the picture is taken.
    const bool told = seen.in_picture(died)->state == VmState::crashed || seen.wait_for(died, VmState::crashed);
    EXPECT_TRUE(told);
    host->power().resume(paused);
    EXPECT_TRUE(seen.wait_for(paused, VmState::running, "resumed"));
}

TEST_F(LibvirtFaults, NoVmIsShownOffWhileLibvirtdFindsItsQemusAgain) {
    std::vector<VmId> running;
    for (int i = 0; i < 6; ++i) running.push_back(run_vm());
    observe();
    lab->kill_libvirtd();  // the lab's supervisor starts it again at once
    ASSERT_TRUE(seen.wait_for_pictures(2));
    for (const VmId& vm : running) {
        ASSERT_TRUE(seen.in_picture(vm));
        EXPECT_EQ(seen.in_picture(vm)->state, VmState::running);
        const auto look = host->observer().look(vm);
        ASSERT_TRUE(look);
        EXPECT_EQ(look->state, VmState::running);
        patient().power().suspend(vm);  // waits for the reconnection rather than failing
    }
    for (const VmEvent& event : seen.events())
        EXPECT_TRUE(event.observation.state == VmState::running || event.observation.state == VmState::paused);
}

TEST_F(LibvirtFaults, WhyAVmIsOffOutlivesLibvirtd) {
    const VmId vm = run_vm();
    observe();
    Lab::signal_qemu(vm, SIGKILL);
    ASSERT_TRUE(seen.wait_for(vm, VmState::crashed));
    lab->kill_libvirtd();
    ASSERT_TRUE(seen.wait_for_pictures(2));
    EXPECT_EQ(seen.in_picture(vm)->state, VmState::crashed);
}

TEST_F(LibvirtFaults, ACallWaitsForALibvirtdThatRestarts) {
    const VmId vm = run_vm();
    host->power().suspend(vm);
    lab->stop_libvirtd();
    std::thread soon([this] { lab->start_libvirtd(); });
    host->power().resume(vm);
    soon.join();
    EXPECT_EQ(host->observer().look(vm)->state, VmState::running);
}

TEST_F(LibvirtFaults, NoQueryFailsBecauseLibvirtdRestarts) {
    const VmId vm = run_vm();
    std::atomic<bool> done{false};
    std::atomic<int> answers{0};
    std::thread asking([&] {
        while (!done) {
            try {
                EXPECT_EQ(host->observer().look(vm)->state, VmState::running);
                ++answers;
            } catch (const Error& error) {
                ADD_FAILURE() << error.details();
            }
        }
    });
    lab->kill_libvirtd();  // the lab's supervisor starts it again at once
    const int before = answers;
    const auto deadline = steady_clock::now() + seconds(20);
    while (answers < before + 10 && steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
    done = true;
    asking.join();
    EXPECT_GE(answers, before + 10);
}

TEST_F(LibvirtFaults, ACommandCutOffByLibvirtdsDeathSaysThatItsOutcomeIsUnknown) {
    const VmId vm = run_vm();
    Lab::signal_qemu(vm, SIGSTOP);
    auto command = std::async(std::launch::async, [&] { return thrown_error([&] { patient().power().suspend(vm); }); });
    while (patient().load().threads == 0) std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(300));  // until it has reached libvirtd, which nothing shows
    lab->kill_libvirtd();
    const Error error = command.get();
    EXPECT_EQ(error.code(), Code::host_connection) << error.details();
    EXPECT_NE(error.details().find("outcome is unknown"), std::string::npos) << error.details();
    Lab::signal_qemu(vm, SIGCONT);
}

TEST_F(LibvirtFaults, ALibvirtdThatStaysAwayIsAnErrorThatSaysSo) {
    const VmId vm = run_vm();
    lab->stop_libvirtd();
    const auto begin = steady_clock::now();
    const Error error = thrown_error([&] { host->power().suspend(vm); });
    EXPECT_LT(since(begin), seconds(5));
    EXPECT_TRUE(error.code() == Code::host_connection || error.code() == Code::timeout) << error.details();
    EXPECT_TRUE(thrown_error([&] { host->observer().look(vm); }).code() == Code::host_connection);
    lab->start_libvirtd();
    observe();
}

TEST_F(LibvirtFaults, AFrozenQemuHurtsOnlyItsOwnVm) {
    const VmId frozen = run_vm();
    const VmId other = run_vm();
    observe();
    Lab::signal_qemu(frozen, SIGSTOP);
    const Error error = thrown_error([&] { host->power().suspend(frozen); });
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_NE(error.details().find("outcome is unknown"), std::string::npos) << error.details();
    EXPECT_NE(error.details().find("QEMU of this VM has not answered"), std::string::npos) << error.details();
    // The second call on it is not even sent: libvirtd's few workers are for the others.
    const auto begin = steady_clock::now();
    const Error second = thrown_error([&] { host->power().resume(frozen); });
    EXPECT_EQ(second.code(), Code::timeout);
    EXPECT_NE(second.details().find("was not tried"), std::string::npos) << second.details();
    EXPECT_LT(since(begin), milliseconds(100));
    for (int i = 0; i < 20; ++i) {
        host->power().suspend(other);
        host->power().resume(other);
    }
    EXPECT_EQ(host->observer().look(frozen)->state, VmState::running);
    EXPECT_TRUE(host->definitions().is_defined(frozen));
    host->definitions().list_foreign();

    const auto pulled = steady_clock::now();
    host->power().destroy(frozen);
    EXPECT_GT(since(pulled), seconds(8));
    EXPECT_LT(since(pulled), seconds(15));
    EXPECT_TRUE(seen.wait_for(frozen, VmState::stopped, "destroyed"));
    // The stuck call has ended with its QEMU: the VM can be worked with again.
    patient().power().start(frozen, false);
    host->power().suspend(frozen);
}

TEST_F(LibvirtFaults, ManyFrozenQemusLeaveTheOthersAlone) {
    std::vector<VmId> frozen;
    for (int i = 0; i < 7; ++i) frozen.push_back(run_vm());
    const VmId other = run_vm();
    for (const VmId& vm : frozen) Lab::signal_qemu(vm, SIGSTOP);
    std::vector<std::future<Code>> stuck;
    for (const VmId& vm : frozen)
        stuck.push_back(
            std::async(std::launch::async, [this, vm] { return thrown_code([&] { host->power().suspend(vm); }); }));
    for (auto& call : stuck) EXPECT_EQ(call.get(), Code::timeout);
    for (int i = 0; i < 10; ++i) {
        host->power().suspend(other);
        host->power().resume(other);
    }
    for (const VmId& vm : frozen) Lab::signal_qemu(vm, SIGCONT);
}

TEST_F(LibvirtFaults, AFrozenLibvirtdCostsTheDeadlineAndNoMore) {
    const VmId vm = run_vm();
    observe();
    lab->freeze_libvirtd();
    const auto begin = steady_clock::now();
    EXPECT_EQ(thrown_code([&] { host->power().suspend(vm); }), Code::timeout);
    EXPECT_LT(since(begin), milliseconds(4500));
    host->observer().stop();  // does not wait for it
    EXPECT_LT(since(begin), milliseconds(8000));
    lab->thaw_libvirtd();
    host->observer().start(seen);
    EXPECT_TRUE(seen.wait_for_pictures(2));
}

TEST_F(LibvirtFaults, ALibvirtdThatIsFrozenFromTheStartIsToldOf) {
    lab->freeze_libvirtd();
    host->observer().start(seen);
    EXPECT_TRUE(seen.wait_for_disconnects(1));
    EXPECT_FALSE(host->observer().connected());
    lab->thaw_libvirtd();
    EXPECT_TRUE(seen.wait_for_pictures(1));
    EXPECT_TRUE(host->observer().connected());
}

TEST_F(LibvirtFaults, TheDriverGoesAwayThoughLibvirtdIsFrozen) {
    observe();
    host->inspector().facts();
    lab->freeze_libvirtd();
    const auto begin = steady_clock::now();
    host.reset();
    EXPECT_LT(since(begin), seconds(10));
    lab->thaw_libvirtd();
}

TEST_F(LibvirtFaults, ThreadsAreGoneWhenNothingIsToDo) {
    const VmId vm = run_vm();
    std::vector<std::future<void>> calls;
    for (int i = 0; i < 8; ++i) calls.push_back(std::async(std::launch::async, [this, vm] { host->observer().look(vm); }));
    for (auto& call : calls) call.get();
    EXPECT_GT(host->load().threads, 0);
    const auto deadline = steady_clock::now() + seconds(15);
    while (host->load().threads > 0 && steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(host->load().threads, 0);
    EXPECT_LE(host->load().connections, 2);
}

}  // namespace
}  // namespace hvagent::testing
