// Which host has a VM on a storage that several hosts see.
#include "agent/operations/vm/ownership.h"

#include "agent/operations/volume/volume_user.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OwnersOfVms : public VmLife {
protected:
    OwnersOfVms() {
        inventory.modify<PrimaryStorage>(PrimaryStorageId(made("primary-storage")),
                                         [](PrimaryStorage& storage) { storage.type = shared_mount_point; });
    }
    VmId create_stopped_vm() {
        const VmId vm = create_vm();
        act("StopVmInstance", vm, {{"type", "cold"}});
        return vm;
    }
    std::string path_of(const VmId& vm) { return owner_note_path(*services, record(vm)); }
    json note_of(const VmId& vm) { return json::parse(files.read_text(path_of(vm)).value_or("{}")); }
    // As another agent would have written it.
    void give_to_another(const VmId& vm, std::int64_t epoch) {
        const json note{{"vm", vm.str()}, {"host", HostId::make().str()},       {"hostName", "h2"}, {"address", "10.0.0.2"},
                        {"epoch", epoch}, {"since", "2026-01-02T03:04:05.006Z"}};
        files.write_text(path_of(vm), note.dump());
    }
};

TEST_F(OwnersOfVms, EachStartIsWrittenDownBesideTheVolume) {
    const VmId vm = create_stopped_vm();
    EXPECT_EQ(record(vm).epoch, 1);
    EXPECT_EQ(note_of(vm)["host"], host.str());
    EXPECT_EQ(note_of(vm)["epoch"], 1);
    act("StartVmInstance", vm);
    EXPECT_EQ(record(vm).epoch, 2);
    act("RebootVmInstance", vm);
    EXPECT_EQ(record(vm).epoch, 3);
    EXPECT_EQ(note_of(vm)["epoch"], 3);
}

TEST_F(OwnersOfVms, ALocalStorageHasNoNotes) {
    inventory.modify<PrimaryStorage>(PrimaryStorageId(made("primary-storage")),
                                     [](PrimaryStorage& storage) { storage.type = local_storage; });
    const VmId vm = create_vm();
    EXPECT_EQ(record(vm).epoch, 1);
    EXPECT_FALSE(files.exists(path_of(vm)));
}

TEST_F(OwnersOfVms, AVmOfAnotherHostIsNotStartedAndThatHostIsNamed) {
    const VmId vm = create_stopped_vm();
    give_to_another(vm, 2);
    const json before = note_of(vm);
    const std::string details = act_failure("StartVmInstance", vm).details();
    EXPECT_THAT(details, HasSubstr("h2 (10.0.0.2"));
    EXPECT_THAT(details, HasSubstr("since 2026-01-02T03:04:05.006Z with epoch 2"));
    EXPECT_THAT(details, HasSubstr("up to epoch 1"));
    EXPECT_THAT(details, HasSubstr(path_of(vm)));
    EXPECT_EQ(state_of(vm), VmState::stopped);
    EXPECT_FALSE(world.find(vm)->is_active());
    EXPECT_EQ(note_of(vm), before);
    EXPECT_EQ(record(vm).epoch, 1);
    files.remove_file(path_of(vm));
    EXPECT_EQ(act("StartVmInstance", vm)["inventory"]["state"], "Running") << "the way out that the error names";
}

TEST_F(OwnersOfVms, TheDisksOfAVmOfAnotherHostAreLeftAlone) {
    const VmId vm = create_stopped_vm();
    EXPECT_EQ(access_of(*services, record(vm)), DiskAccess::offline);
    give_to_another(vm, 2);
    const Error error = thrown_error([&] { access_of(*services, record(vm)); });
    EXPECT_EQ(error.code(), Code::vm_wrong_state);
    EXPECT_THAT(error.details(), HasSubstr("belongs to host h2"));
}

TEST_F(OwnersOfVms, AnOlderNoteOfAnotherHostIsReplaced) {
    const VmId vm = create_stopped_vm();
    give_to_another(vm, 0);
    act("StartVmInstance", vm);
    EXPECT_EQ(note_of(vm)["host"], host.str());
    EXPECT_EQ(note_of(vm)["epoch"], 2);
}

TEST_F(OwnersOfVms, RecordsFromABackupGoOnAfterTheNote) {
    const VmId vm = create_stopped_vm();
    act("StartVmInstance", vm);
    act("StopVmInstance", vm, {{"type", "cold"}});
    inventory.modify<Vm>(vm, [](Vm& record) { record.epoch = 0; });
    act("StartVmInstance", vm);
    EXPECT_EQ(record(vm).epoch, 3);
}

TEST_F(OwnersOfVms, ANoteThatCannotBeUnderstoodIsNamed) {
    const VmId vm = create_stopped_vm();
    files.write_text(path_of(vm), "{\"host\":");
    EXPECT_THAT(act_failure("StartVmInstance", vm).details(), HasSubstr(path_of(vm) + ", cannot be understood"));
}

TEST_F(OwnersOfVms, AFullStorageKeepsNoVmFromStartingThatWasHere) {
    const VmId vm = create_stopped_vm();
    files.faults.fail_next("write_text", Error(Code::storage_allocate, "No space left on device"));
    act("StartVmInstance", vm);
    EXPECT_EQ(note_of(vm)["epoch"], 1);
    EXPECT_EQ(record(vm).epoch, 2);
    act("StopVmInstance", vm, {{"type", "cold"}});
    files.remove_file(path_of(vm));
    files.faults.fail_next("write_text", Error(Code::storage_allocate, "No space left on device"));
    EXPECT_THAT(act_failure("StartVmInstance", vm).details(), HasSubstr("No space left"));
    EXPECT_FALSE(world.find(vm)->is_active());
}

TEST_F(OwnersOfVms, AStartThatKnowsAnOlderLifeIsRefused) {
    const VmId vm = create_stopped_vm();
    EXPECT_EQ(act("StartVmInstance", vm, {{"epoch", 1}})["inventory"]["epoch"], 2);
    act("StopVmInstance", vm, {{"type", "cold"}});
    EXPECT_THAT(act_failure("StartVmInstance", vm, {{"epoch", 1}}).details(), HasSubstr("has epoch 2"));
    EXPECT_EQ(state_of(vm), VmState::stopped);
    act("StartVmInstance", vm, {{"epoch", 2}});
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_F(OwnersOfVms, TheNoteGoesWithTheVm) {
    const VmId vm = create_vm();
    const std::string note = path_of(vm);
    act("DestroyVmInstance", vm);
    EXPECT_TRUE(files.exists(note));
    act("ExpungeVmInstance", vm);
    EXPECT_FALSE(files.exists(note));
    expect_nothing_left(vm);
}

TEST_F(OwnersOfVms, ExpungingAVmOfAnotherHostLeavesItsFiles) {
    const VmId vm = create_stopped_vm();
    const std::string note = path_of(vm);
    const std::string disk_path = volumes_of(vm).front().install_path;
    give_to_another(vm, 2);
    act("DestroyVmInstance", vm);
    act("ExpungeVmInstance", vm);
    EXPECT_EQ(inventory.count<Vm>(), 0);
    EXPECT_EQ(inventory.count<Volume>(), 0);
    EXPECT_TRUE(disk.find(disk_path));
    EXPECT_TRUE(files.exists(note));
}

}  // namespace
}  // namespace hvagent::operations
