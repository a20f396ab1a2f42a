#include "agent/state/settle_keeper.h"

#include <gmock/gmock.h>

#include <set>

#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/error.h"
#include "tests/unit/state/watching.h"

namespace hvagent::state {
namespace {

using testing::ElementsAre;

class Settling : public Watching {
protected:
    Settling() { inventory.migrate(); }
    VmId add_vm() {
        Vm vm;
        vm.uuid = VmId::make();
        inventory.insert(vm);
        return vm.uuid;
    }
    void add_snapshot(const VmId& vm, SnapshotStatus status) {
        Volume volume;
        volume.uuid = VolumeId::make();
        volume.vm = vm;
        inventory.insert(volume);
        VolumeSnapshot snapshot;
        snapshot.uuid = SnapshotId::make();
        snapshot.volume = volume.uuid;
        snapshot.status = status;
        inventory.insert(snapshot);
    }
    JobId submit(const VmId& vm) {
        if (refuses) throw Error(Code::not_ready, "not now");
        given.add(vm.str());
        return JobId::make();
    }

    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    Told given;
    bool sees_libvirt = true;
    bool refuses = false;
    bool at_work = false;
    SettleKeeper keeper{inventory,
                        timer,
                        clock,
                        {seconds(1), seconds(4)},
                        {[this](const VmId& vm) { return submit(vm); }, [this](const JobId&) { return !at_work; },
                         [this] { return sees_libvirt; }}};
};

TEST_F(Settling, IsTriedWithGrowingPausesUntilAllIsSettled) {
    const VmId vm = add_vm();
    keeper.owe(vm);
    std::vector<std::size_t> tries;
    for (int second = 0; second < 14; ++second) {
        pass(seconds(1));
        tries.push_back(given.all().size());
    }
    EXPECT_THAT(tries, ElementsAre(1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5));
    keeper.settled(vm);
    pass(seconds(100));
    EXPECT_EQ(given.all().size(), 5u);
}

TEST_F(Settling, DoesNotPileUpJobs) {
    const VmId vm = add_vm();
    keeper.owe(vm);
    pass(seconds(1));
    at_work = true;
    for (int i = 0; i < 10; ++i) pass(seconds(4));
    EXPECT_EQ(given.all().size(), 1u);
    at_work = false;
    pass(seconds(4));
    EXPECT_EQ(given.all().size(), 2u);
}

TEST_F(Settling, WaitsForLibvirtAndIsTriedSoonWhenItIsBack) {
    const VmId vm = add_vm();
    sees_libvirt = false;
    keeper.owe(vm);
    pass(seconds(1000));
    EXPECT_THAT(given.all(), ElementsAre());
    sees_libvirt = true;
    keeper.consider(vm);
    keeper.consider(add_vm());
    pass(seconds(1));
    EXPECT_THAT(given.all(), ElementsAre(vm.str()));
}

TEST_F(Settling, GoesOnAfterAJobThatWasNotAcceptedAndEndsWithTheVm) {
    const VmId vm = add_vm();
    refuses = true;
    keeper.owe(vm);
    pass(seconds(1));
    refuses = false;
    pass(seconds(1));
    EXPECT_EQ(given.all().size(), 1u);
    inventory.remove<Vm>(vm);
    pass(seconds(100));
    EXPECT_EQ(given.all().size(), 1u);
}

TEST_F(Settling, TakesUpWhatAnEarlierLifeLeftCreating) {
    const VmId open = add_vm();
    add_snapshot(open, SnapshotStatus::creating);
    add_snapshot(add_vm(), SnapshotStatus::ready);
    add_snapshot(VmId(), SnapshotStatus::creating);  // of no VM: its job settles it
    keeper.start();
    pass(seconds(1));
    EXPECT_THAT(given.all(), ElementsAre(open.str()));
}

}  // namespace
}  // namespace hvagent::state
