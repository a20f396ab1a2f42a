#include "agent/state/vm_states.h"

#include <gtest/gtest.h>

#include <thread>

#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/movable_clock.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::state {
namespace {

class States : public testing::Test {
protected:
    States() {
        inventory.migrate();
        Host record;
        record.uuid = host;
        inventory.insert(record);
        vm = add();
    }
    VmId add(VmIntent intent = VmIntent::kept) {
        Vm record;
        record.uuid = VmId::make();
        record.intent = intent;
        inventory.insert(record);
        return record.uuid;
    }
    Vm record() const { return inventory.get<Vm>(vm); }
    VmObservation seen(VmState state) const { return {vm, state, "seen", clock.now()}; }
    void event(VmState state) { states.on_event({VmEventKind::state, seen(state)}); }
    // The host has a domain of this VM.
    void define() {
        VmSpec spec;
        spec.vm = vm;
        spec.memory = GiB;
        world.definitions().define(spec);
    }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeHost world{clock};
    const HostId host = HostId::make();
    VmStates states{inventory, world.observer(), clock, host};
    VmId vm;
};

using Echoes = States;

TEST_F(Echoes, ALateOneDoesNotOverwriteWhatTheJobWrote) {
    {
        Transition starting(states, vm, VmState::starting);
        starting.heading_for(VmState::running);
        starting.arrived(VmState::running, "booted");
    }
    event(VmState::running);
    EXPECT_EQ(record().observed, VmState::running);
    EXPECT_EQ(record().observed_reason, "booted");
}

TEST_F(Echoes, ALateOneOfAnEarlierJobDoesNotOverwriteTheNextJob) {
    {
        Transition starting(states, vm, VmState::starting);
        starting.heading_for(VmState::running);
        starting.arrived(VmState::running, "booted");
    }
    {
        Transition stopping(states, vm, VmState::stopping);
        stopping.arrived(VmState::stopped, "powerOff");
    }
    event(VmState::running);
    EXPECT_EQ(record().observed, VmState::stopped);
}

// libvirt tells a start twice (booted, unpaused); both may come when the next job is at work.
TEST_F(Echoes, TwoLateOnesOfAnEarlierJobDoNotOverwriteTheNextJob) {
    {
        Transition starting(states, vm, VmState::starting);
        starting.heading_for(VmState::running);
        starting.arrived(VmState::running, "booted");
    }
    event(VmState::running);
    {
        Transition stopping(states, vm, VmState::stopping);
        event(VmState::running);
        stopping.arrived(VmState::stopped, "powerOff");
    }
    EXPECT_EQ(record().observed, VmState::stopped);
    {
        Transition starting(states, vm, VmState::starting);
        starting.heading_for(VmState::running);
        starting.arrived(VmState::running, "booted");
    }
    {
        Transition stopping(states, vm, VmState::stopping);
        event(VmState::running);
        event(VmState::running);
        stopping.arrived(VmState::stopped, "powerOff");
    }
    EXPECT_EQ(record().observed, VmState::stopped);
}

TEST_F(Echoes, NewsAfterItWinOverTheJob) {
    Transition starting(states, vm, VmState::starting);
    starting.heading_for(VmState::running);
    event(VmState::running);
    event(VmState::stopped);
    starting.arrived(VmState::running, "booted", [](Vm& one) { one.should_run = true; });
    EXPECT_EQ(record().state(), VmState::stopped);
    EXPECT_TRUE(record().should_run);
}

TEST_F(Echoes, AnOlderEventBeforeItDoesNotWinOverTheJob) {
    Transition starting(states, vm, VmState::starting);
    starting.heading_for(VmState::running);
    event(VmState::stopped);
    starting.arrived(VmState::running, "booted");
    EXPECT_EQ(record().observed, VmState::running);
}

TEST_F(Echoes, AnOlderEventThatComesAfterTheJobIsPutRightByTheEcho) {
    {
        Transition rebooting(states, vm, VmState::rebooting);
        rebooting.heading_for(VmState::running);
        rebooting.arrived(VmState::running, "booted");
    }
    event(VmState::stopped);
    event(VmState::running);
    EXPECT_EQ(record().observed, VmState::running);
}

TEST_F(Echoes, ACallThatHadNoneDoesNotSwallowTheNextEvent) {
    {
        Transition starting(states, vm, VmState::starting);
        starting.heading_for(VmState::running);
        starting.arrived(VmState::running, "was running already");
    }
    clock.move(seconds(5));
    event(VmState::stopped);
    event(VmState::running);
    EXPECT_EQ(record().observed, VmState::running);
    EXPECT_EQ(record().observed_reason, "seen");
}

using Truth = States;

TEST_F(Truth, IsUnknownWhileLibvirtIsSilentAndThenThePicture) {
    states.on_connected({seen(VmState::running)});
    EXPECT_TRUE(states.connected());
    states.on_disconnected("connection reset");
    EXPECT_EQ(record().state(), VmState::unknown);
    EXPECT_EQ(inventory.get<Host>(host).status, ConnectionStatus::disconnected);
    states.on_connected({seen(VmState::paused)});
    EXPECT_EQ(record().state(), VmState::paused);
    EXPECT_EQ(record().host, host);
    EXPECT_EQ(inventory.get<Host>(host).status, ConnectionStatus::connected);
}

TEST_F(Truth, IsStoppedForAVmThatThePictureLacks) {
    states.on_connected({seen(VmState::running)});
    states.on_connected({});
    EXPECT_EQ(record().state(), VmState::stopped);
    EXPECT_TRUE(record().host.empty());
    EXPECT_EQ(record().last_host, host);
}

TEST_F(Truth, OfDestroyedAndNeverStartedVmsStaysWhatWasDecided) {
    const VmId destroyed = add(VmIntent::destroyed);
    const VmId created = add(VmIntent::created);
    states.on_disconnected("connection reset");
    EXPECT_EQ(inventory.get<Vm>(destroyed).state(), VmState::destroyed);
    EXPECT_EQ(inventory.get<Vm>(created).state(), VmState::created);
}

TEST_F(Truth, OfAnEarlierLifeIsForgottenAtTheStart) {
    inventory.observe<Vm>(vm, [](Vm& one) {
        one.observed = VmState::running;
        one.transition = VmState::stopping;
    });
    states.begin();
    EXPECT_EQ(record().state(), VmState::unknown);
}

TEST_F(Truth, IsLookedAtWhenAJobDoesNotArrive) {
    define();
    world.power().start(vm, false);
    {
        Transition pausing(states, vm, VmState::pausing);
        EXPECT_EQ(record().state(), VmState::pausing);
    }
    EXPECT_EQ(record().state(), VmState::running);
}

TEST_F(Truth, IsUnknownWhenAJobDoesNotArriveAndLibvirtDoesNotAnswer) {
    world.lose_libvirt("gone");
    { Transition pausing(states, vm, VmState::pausing); }
    EXPECT_EQ(record().state(), VmState::unknown);
    EXPECT_NE(record().observed_reason.find("gone"), std::string::npos);
}

TEST_F(Truth, OfAVmThatTheHostDoesNotHaveIsStopped) {
    EXPECT_EQ(states.look(vm), VmState::stopped);
    world.lose_libvirt("gone");
    EXPECT_EQ(states.look(vm), std::nullopt);
}

using Waiting = States;

TEST_F(Waiting, EndsWithTheEvent) {
    states.on_connected({seen(VmState::running)});
    Cancellation cancel;
    std::thread guest([&] { event(VmState::stopped); });
    EXPECT_TRUE(states.wait_until(vm, {VmState::stopped}, clock.moment() + seconds(30), cancel));
    guest.join();
}

TEST_F(Waiting, EndsWithTheDeadline) {
    states.on_connected({seen(VmState::running)});
    Cancellation cancel;
    EXPECT_FALSE(states.wait_until(vm, {VmState::stopped}, clock.moment() + milliseconds(30), cancel));
}

TEST_F(Waiting, EndsWithTheCancelOfTheJob) {
    states.on_connected({seen(VmState::running)});
    Cancellation cancel;
    std::thread client([&] { cancel.request(); });
    const Error error =
        thrown_error([&] { states.wait_until(vm, {VmState::stopped}, clock.moment() + seconds(30), cancel); });
    client.join();
    EXPECT_EQ(error.code(), Code::job_cancelled);
}

TEST_F(Waiting, ForLibvirtSaysWhyItIsSilent) {
    states.on_disconnected("connection refused");
    const Error error = thrown_error([&] { states.wait_connected(milliseconds(5)); });
    EXPECT_EQ(error.code(), Code::host_connection);
    EXPECT_NE(error.details().find("connection refused"), std::string::npos);
    std::thread libvirt([&] { states.on_connected({}); });
    states.wait_connected(seconds(30));
    libvirt.join();
    EXPECT_TRUE(states.connected());
}

}  // namespace
}  // namespace hvagent::state
