// Moves of a guest that really runs, between two libvirtds.
#include "tests/libvirt/moving_guest.h"

namespace hvagent::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using What = MigrationOrder::What;

Error failure_of(std::future<MigrationResult>& move) {
    try {
        move.get();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "the move succeeded";
    return Error(Code::internal, "no failure");
}

bool sends_memory(const MigrationSight& sight) {
    return sight.phase == MigrationPhase::copying_memory && sight.memory_done > 0;
}

TEST_F(MovingGuest, TravelsWithItsDefinitionAndItsMark) {
    boot();
    ScriptedJudge judge;
    way.places.host_uuid = "second";
    const MigrationResult made = move(judge);
    EXPECT_GT(made.total.count(), 0);
    EXPECT_GT(made.transferred, MiB);
    EXPECT_GE(made.iterations, 1);
    EXPECT_GT(made.downtime.count(), 0);
    expect_only_there();
    EXPECT_EQ(there->migration().truth(spec.vm).reason, "migrated");
    there->migration().adopt(spec.vm, "third");
    EXPECT_THAT(in_guest(2, "echo alive"), HasSubstr("alive"));
}

TEST_F(MovingGuest, TheDestinationCanDrive) {
    boot();
    way.source_uri = lab->uri(1);
    ScriptedJudge judge;
    there->migration().migrate(spec.vm, way, judge, cancel);
    expect_only_there();
}

TEST_F(MovingGuest, MemoryGoesByManyConnectionsOrCompressed) {
    boot();
    ScriptedJudge judge;
    way.parallel_connections = 2;
    move(judge);
    expect_only_there();
    way.parallel_connections = 0;
    way.compressed = true;
    way.destination_uri = lab->uri(1);
    there->migration().migrate(spec.vm, way, judge, cancel);
    expect_only_here();
}

TEST_F(MovingGuest, TheStreamTakesTheAddressItIsGiven) {
    boot();
    ScriptedJudge judge;
    way.migrate_address = lab->uri(2).substr(11, lab->uri(2).rfind('/') - 11);
    move(judge);
    expect_only_there();
    std::swap(here, there);
    way.destination_uri = lab->uri(1);
    way.migrate_address = "10.98.255.250";
    auto nowhere = begin_move(judge);
    failure_of(nowhere);
    std::swap(here, there);
    EXPECT_EQ(there->migration().truth(spec.vm).state, VmState::running);
}

TEST_F(MovingGuest, PausedStaysPaused) {
    boot();
    here->power().suspend(spec.vm);
    ScriptedJudge judge;
    move(judge);
    expect_only_there(VmState::paused);
    there->power().resume(spec.vm);
    EXPECT_EQ(there->migration().truth(spec.vm).state, VmState::running);
}

TEST_F(MovingGuest, AUefiGuestMovesWithItsVariables) {
    spec.firmware = Firmware::uefi;
    make_disk(spec.disks[0].path);
    here->definitions().define(spec);
    here->power().start(spec.vm, true);
    ScriptedJudge judge;
    move(judge);
    expect_only_there(VmState::paused);
    there->power().resume(spec.vm);
    EXPECT_EQ(there->migration().truth(spec.vm).state, VmState::running);
}

TEST_F(MovingGuest, TakesADiskAlongAtAnotherPlace) {
    spec.disks[0].path = lab->directory(1) + "/moving.qcow2";
    spec.serial_log = lab->directory(1) + "/moving.log";
    boot(true);
    const std::string target = lab->directory(2) + "/moved.qcow2";
    make_disk(target);
    in_guest(1, "echo kept > /data/mark; sync");
    way.copied = {spec.disks[0].volume};
    way.places.paths = {{spec.disks[0].path, target}, {spec.serial_log, lab->directory(2) + "/moved.log"}};
    way.bandwidth = 400 * MiB;
    ScriptedJudge judge;
    move(judge);
    expect_only_there();
    const auto disks = there->disks().look(spec.vm);
    ASSERT_TRUE(disks && disks->disks.size() == 1);
    EXPECT_EQ(disks->disks[0].chain, (std::vector<std::string>{target, image}));
    EXPECT_THAT(in_guest(2, "echo 3 > /proc/sys/vm/drop_caches; cat /data/mark"), HasSubstr("kept"));
    EXPECT_TRUE(std::ifstream(lab->directory(2) + "/moved.log").good());
}

TEST_F(MovingGuest, CancelEndsItAndLeavesTheSourceRunning) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(sends_memory));
    EXPECT_TRUE(here->migration().truth(spec.vm).migrating_out);
    EXPECT_TRUE(there->migration().truth(spec.vm).migrating_in);
    cancel.request();
    EXPECT_EQ(failure_of(moving).code(), Code::job_cancelled);
    expect_only_here();
}

TEST_F(MovingGuest, CancelInTheDiskPhaseEndsItToo) {
    spec.disks[0].path = lab->directory(1) + "/cancelled.qcow2";
    boot(true);
    in_guest(1, "lab fill /data/f 20; sync");
    const std::string target = lab->directory(2) + "/cancelled-target.qcow2";
    make_disk(target);
    way.copied = {spec.disks[0].volume};
    way.places.paths = {{spec.disks[0].path, target}};
    way.bandwidth = 2 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(
        [](const MigrationSight& sight) { return sight.phase == MigrationPhase::copying_disks && sight.disk_total > 0; }));
    cancel.request();
    EXPECT_EQ(failure_of(moving).code(), Code::job_cancelled);
    expect_only_here();
}

TEST_F(MovingGuest, ADaemonThatStopsLeavesItToTheNextLife) {
    boot();
    way.bandwidth = 16 * MiB;
    ScriptedJudge first;
    auto moving = begin_move(first);
    ASSERT_TRUE(first.wait_for(sends_memory));
    cancel.request(CancelReason::stopping);
    EXPECT_EQ(failure_of(moving).code(), Code::job_cancelled);
    EXPECT_TRUE(here->migration().truth(spec.vm).migrating_out);
    here = make_host(1);
    Cancellation none;
    ScriptedJudge second;
    const MigrationResult made = here->migration().migrate(spec.vm, way, second, none);
    EXPECT_FALSE(second.sights().empty());
    EXPECT_GT(made.transferred, MiB);
    expect_only_there();
}

TEST_F(MovingGuest, TheJudgeAbortsWithItsReason) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge([](const MigrationSight& sight) {
        return sends_memory(sight) ? MigrationOrder{What::abort, {}, "memory is dirtied too fast"} : MigrationOrder{};
    });
    auto moving = begin_move(judge);
    const Error failure = failure_of(moving);
    EXPECT_EQ(failure.code(), Code::vm_migrate);
    EXPECT_EQ(failure.details(), "memory is dirtied too fast");
    expect_only_here();
}

TEST_F(MovingGuest, ABusyGuestGoesWhenItIsPausedMeanwhile) {
    boot();
    dirty(64);
    way.bandwidth = 24 * MiB;
    way.auto_converge = false;
    bool ordered = false;
    ScriptedJudge judge([&ordered](const MigrationSight& sight) {
        if (ordered || sight.iteration < 2) return MigrationOrder{};
        ordered = true;
        return MigrationOrder{What::pause_guest, {}, "test"};
    });
    const MigrationResult made = move(judge);
    EXPECT_TRUE(made.paused_to_converge);
    expect_only_there(VmState::running);
}

TEST_F(MovingGuest, ABusyGuestGoesWithMoreDowntime) {
    boot();
    dirty(64);
    way.bandwidth = 48 * MiB;
    way.max_downtime = milliseconds(20);
    ScriptedJudge judge([](const MigrationSight& sight) {
        return sight.new_iteration && sight.iteration >= 2 ? MigrationOrder{What::set_max_downtime, seconds(20), ""}
                                                           : MigrationOrder{};
    });
    move(judge);
    expect_only_there();
}

TEST_F(MovingGuest, ABusyGuestGoesByPostCopy) {
    boot();
    dirty(64);
    way.bandwidth = 24 * MiB;
    way.post_copy = true;
    bool ordered = false;
    ScriptedJudge judge([&ordered](const MigrationSight& sight) {
        if (ordered || sight.iteration < 2) return MigrationOrder{};
        ordered = true;
        return MigrationOrder{What::start_post_copy, {}, "test"};
    });
    const MigrationResult made = move(judge);
    EXPECT_TRUE(made.post_copied);
    expect_only_there();
}

TEST_F(MovingGuest, AKilledDestinationLeavesTheSourceRunning) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(sends_memory));
    lab->control("signal h2 libvirtd KILL");
    EXPECT_NE(failure_of(moving).code(), Code::host_connection) << "it is not our libvirt that went";
    expect_only_here();
}

TEST_F(MovingGuest, AKilledSourceLibvirtIsToldApart) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(sends_memory));
    lab->control("signal h1 libvirtd KILL");
    EXPECT_EQ(failure_of(moving).code(), Code::host_connection);
    EXPECT_TRUE(waited_for([&] {
        try {
            return here->migration().truth(spec.vm).active && !here->migration().truth(spec.vm).migrating_out;
        } catch (const Error&) {
            return false;
        }
    }));
    expect_only_here();
}

TEST_F(MovingGuest, ACutLinkEndsInAnError) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(sends_memory));
    lab->control("link h2 down");
    const bool ended = moving.wait_for(seconds(60)) == std::future_status::ready;
    lab->control("link h2 up");
    ASSERT_TRUE(ended);
    EXPECT_NE(failure_of(moving).code(), Code::host_connection);
    connect();
    expect_only_here();
}

TEST_F(MovingGuest, AFrozenQemuDoesNotHoldTheCaller) {
    boot();
    way.bandwidth = 4 * MiB;
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    ASSERT_TRUE(judge.wait_for(sends_memory));
    lab->control("exec h1 -- sh -c 'kill -STOP $(cat /run/libvirt/qemu/" + spec.vm.str() + ".pid)'");
    cancel.request();
    const Error failure = failure_of(moving);
    lab->control("exec h1 -- sh -c 'kill -CONT $(cat /run/libvirt/qemu/" + spec.vm.str() + ".pid)'");
    EXPECT_EQ(failure.code(), Code::timeout);
    EXPECT_TRUE(waited_for([&] {
        try {
            return !here->migration().truth(spec.vm).migrating_out;
        } catch (const Error&) {
            return false;
        }
    })) << "the order stands, and is obeyed once QEMU goes on";
    expect_only_here();
}

TEST_F(MovingGuest, NoMoveIsFoundWhereNoneIs) {
    const MigrationTruth absent = here->migration().truth(spec.vm);
    EXPECT_TRUE(absent.is_absent());
    here->migration().abort(spec.vm);
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    EXPECT_EQ(failure_of(moving).code(), Code::vm_wrong_state);
}

TEST_F(MovingGuest, AnUnreachableDestinationIsSaidAtOnce) {
    boot();
    way.destination_uri = "qemu+tcp://" + lab->uri(2).substr(11, lab->uri(2).rfind('.') - 11) + ".250/system";
    ScriptedJudge judge;
    auto moving = begin_move(judge);
    const Error failure = failure_of(moving);
    EXPECT_EQ(failure.code(), Code::operation_failed) << failure.details();
    expect_only_here();
}

TEST_F(MovingGuest, FitsWhereItsMachineAndCpuAreKnown) {
    boot();
    GuestNeeds needs = here->migration().needs_of(spec.vm);
    EXPECT_EQ(needs.virt_type, "qemu");
    EXPECT_THAT(needs.machine, HasSubstr("pc-q35-"));
    EXPECT_THAT(there->migration().misfits(needs), IsEmpty());
    EXPECT_THAT(here->migration().obstacles(spec.vm), IsEmpty());
    GuestNeeds other = needs;
    other.machine = "pc-q35-99.0";
    EXPECT_THAT(there->migration().misfits(other), ::testing::ElementsAre(HasSubstr("pc-q35-99.0")));
    other = needs;
    other.cpu = "<cpu mode='custom' match='exact'><model>EPYC-Milan</model></cpu>";
    EXPECT_THAT(there->migration().misfits(other), ::testing::ElementsAre(HasSubstr("required features")));
}

}  // namespace
}  // namespace hvagent::testing
