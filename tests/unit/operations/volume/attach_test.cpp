#include "tests/unit/operations/volume/volume_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using AttachVolumeTest = VolumeLife;

TEST_F(AttachVolumeTest, ARunningVmGetsTheDiskAtOnce) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    const json answer = attach_to(vm, id)["inventory"];
    EXPECT_EQ(answer["vmInstanceUuid"], vm.str());
    EXPECT_EQ(answer["deviceId"], 1);
    EXPECT_EQ(answer["status"], "Ready");
    EXPECT_TRUE(answer.contains("lastAttachDate"));
    ASSERT_TRUE(is_plugged(vm, id));
    EXPECT_EQ(live_disks(vm).back().path, answer["installPath"]);
    EXPECT_EQ(live_disks(vm).back().device_id, 1);
}

TEST_F(AttachVolumeTest, AStoppedVmFindsItAtItsNextStart) {
    const VmId vm = create_stopped_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    EXPECT_EQ(volume(id).status, VolumeStatus::ready);
    act("StartVmInstance", vm);
    EXPECT_TRUE(is_plugged(vm, id));
}

TEST_F(AttachVolumeTest, TheSmallestFreeDeviceIdIsTaken) {
    const VmId vm = create_vm();
    const VolumeId first = create_volume(), second = create_volume();
    attach_to(vm, first);
    attach_to(vm, second);
    EXPECT_EQ(volume(second).device_id, 2);
    on("DetachDataVolumeFromVm", first);
    const VolumeId third = create_volume();
    attach_to(vm, third);
    EXPECT_EQ(volume(third).device_id, 1);
}

TEST_F(AttachVolumeTest, AVmTakesNoMoreThanTwentyFour) {
    const VmId vm = create_stopped_vm();
    for (int i = 0; i < 24; ++i) attach_to(vm, create_volume());
    const Error error = outer_failure("AttachDataVolumeToVm", pair(create_volume(), vm));
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr("24"));
}

TEST_F(AttachVolumeTest, DisksThatFindNoSlotOfTheirOwnShareAController) {
    const VmId vm = create_vm();
    for (int i = 0; i < 8; ++i) attach_to(vm, create_volume());
    const auto bus_of = [&](int device_id) {
        for (const DiskSpec& plugged : live_disks(vm))
            if (plugged.device_id == device_id) return plugged.bus;
        throw std::runtime_error("no such disk");
    };
    EXPECT_EQ(bus_of(7), DiskBus::virtio);
    EXPECT_EQ(bus_of(8), DiskBus::scsi);
}

TEST_F(AttachVolumeTest, VolumesThatCannotBeAttachedAreRefused) {
    const VmId vm = create_vm();
    const VolumeId root = record(vm).root_volume;
    EXPECT_EQ(outer_failure("AttachDataVolumeToVm", pair(root, vm)).code(), Code::operation_failed);
    const VolumeId disabled = create_volume(), deleted = create_volume(), taken = create_volume();
    on("ChangeVolumeState", disabled, {{"stateEvent", "disable"}});
    on("DeleteDataVolume", deleted);
    attach_to(vm, taken);
    const VmId other = create_vm();
    for (const VolumeId& id : {disabled, deleted, taken}) {
        const Error error = outer_failure("AttachDataVolumeToVm", pair(id, other));
        EXPECT_EQ(error.code(), Code::operation_failed) << error.details();
        EXPECT_FALSE(is_plugged(other, id));
    }
}

TEST_F(AttachVolumeTest, AVmInAWrongStateIsNamedByTheContractsCodes) {
    const VmId vm = create_vm();
    act("DestroyVmInstance", vm);
    const Error error = outer_failure("AttachDataVolumeToVm", pair(create_volume(), vm));
    EXPECT_EQ(error.code(), Code::vm_attach_volume);
    EXPECT_EQ(error.cause()->code(), Code::vm_wrong_state);
}

TEST_F(AttachVolumeTest, WhatTheGuestHasNoDriversForIsPluggedWhenStopped) {
    const VmId emulated = create_vm({{"virtio", false}});
    const VmId other = create_vm({{"platform", "Other"}});
    for (const VmId& vm : {emulated, other}) {
        const VolumeId id = create_volume();
        EXPECT_EQ(outer_failure("AttachDataVolumeToVm", pair(id, vm)).code(), Code::operation_failed);
        EXPECT_EQ(volume(id).status, VolumeStatus::not_instantiated);
        act("StopVmInstance", vm);
        attach_to(vm, id);
        act("StartVmInstance", vm);
        EXPECT_TRUE(is_plugged(vm, id));
    }
}

TEST_F(AttachVolumeTest, AStorageThatTheVmCannotReachIsRefused) {
    const VmId vm = create_vm();
    const VolumeId id = create_ready_volume();
    for (const Attachment& one : inventory.list<Attachment>({{"kind", "ps-cluster"}}))
        inventory.remove<Attachment>(one.uuid);
    EXPECT_EQ(outer_failure("AttachDataVolumeToVm", pair(id, vm)).code(), Code::operation_failed);
    const Error nowhere = outer_failure("AttachDataVolumeToVm", pair(create_volume(), vm));
    EXPECT_EQ(nowhere.code(), Code::vm_attach_volume);
    EXPECT_EQ(nowhere.cause()->code(), Code::storage_allocate);
}

TEST_F(AttachVolumeTest, AFullStorageLeavesItWithoutAFile) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    images.faults.fail_next("create_empty", Error(Code::storage_allocate, "No space left on device"));
    const Error error = outer_failure("AttachDataVolumeToVm", pair(id, vm));
    EXPECT_EQ(error.code(), Code::vm_attach_volume);
    EXPECT_EQ(error.cause()->code(), Code::storage_allocate);
    EXPECT_EQ(volume(id).status, VolumeStatus::not_instantiated);
    EXPECT_TRUE(volume(id).primary_storage.empty());
    EXPECT_THAT(files_of(id), IsEmpty());
    attach_to(vm, id);
}

TEST_F(AttachVolumeTest, AHypervisorThatRefusesLeavesItFree) {
    const VmId vm = create_vm();
    const VolumeId id = create_ready_volume();
    world.faults.fail_next("attach_disk", Error(Code::operation_failed, "no free slot"));
    EXPECT_EQ(outer_failure("AttachDataVolumeToVm", pair(id, vm)).code(), Code::vm_attach_volume);
    EXPECT_TRUE(volume(id).vm.empty());
    EXPECT_FALSE(is_plugged(vm, id));
}

// A hypervisor that plugs the disk and then does not answer in time.
class LateAnswer : public VolumeLife {
protected:
    LateAnswer() : vm(create_vm()), id(create_ready_volume()) {}
    Error attach_with_late_answer() {
        world.domains().happen(vm, [&](FakeDomain& domain) {
            DiskSpec plugged;
            plugged.volume = id;
            plugged.path = volume(id).install_path;
            domain.spec.disks.push_back(plugged);
        });
        world.faults.fail_next("attach_disk", Error(Code::timeout, "libvirt did not answer"));
        return outer_failure("AttachDataVolumeToVm", pair(id, vm));
    }
    const VmId vm;
    const VolumeId id;
};

TEST_F(LateAnswer, TheDiskIsTakenBack) {
    EXPECT_EQ(attach_with_late_answer().code(), Code::vm_attach_volume);
    EXPECT_FALSE(is_plugged(vm, id));
    EXPECT_TRUE(volume(id).vm.empty());
}

TEST_F(LateAnswer, ADiskThatTheGuestKeepsIsWrittenDown) {
    disks.holds_disks = true;
    attach_with_late_answer();
    EXPECT_TRUE(is_plugged(vm, id));
    EXPECT_EQ(volume(id).vm, vm) << "nobody else may get what this guest writes to";
}

TEST_F(AttachVolumeTest, TheNextLifeOfTheDaemonWritesDownWhatWasPlugged) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    inventory.modify<Volume>(id, [](Volume& record) {
        record.vm = VmId();
        record.device_id.reset();
    });
    const json answer = call("AttachDataVolumeToVm", pair(id, vm), true)["inventory"];
    EXPECT_EQ(answer["vmInstanceUuid"], vm.str());
    EXPECT_EQ(answer["deviceId"], 1);
    EXPECT_EQ(live_disks(vm).size(), 2u);
    EXPECT_EQ(call("AttachDataVolumeToVm", pair(id, vm), true)["inventory"]["deviceId"], 1);
}

TEST_F(AttachVolumeTest, TheNextLifeOfTheDaemonForgetsAHalfMadeFileOfAVmThatIsGone) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    inventory.modify<Volume>(id, [&](Volume& record) {
        record.status = VolumeStatus::creating;
        record.primary_storage = PrimaryStorageId(made("primary-storage"));
    });
    act("DestroyVmInstance", vm);
    thrown_error([&] { call("AttachDataVolumeToVm", pair(id, vm), true); });
    EXPECT_EQ(volume(id).status, VolumeStatus::not_instantiated);
}

using DetachVolumeTest = VolumeLife;

TEST_F(DetachVolumeTest, TheGuestLetsGoBeforeTheVolumeIsFree) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    const json answer = on("DetachDataVolumeFromVm", id)["inventory"];
    for (const char* absent : {"vmInstanceUuid", "deviceId"}) EXPECT_FALSE(answer.contains(absent)) << absent;
    EXPECT_EQ(answer["lastVmInstanceUuid"], vm.str());
    EXPECT_TRUE(answer.contains("lastDetachDate"));
    EXPECT_FALSE(is_plugged(vm, id));
}

TEST_F(DetachVolumeTest, AGuestThatRefusesKeepsIt) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    disks.holds_disks = true;
    EXPECT_EQ(outer_failure("DetachDataVolumeFromVm", {{"uuid", id.str()}}).code(), Code::operation_failed);
    EXPECT_EQ(volume(id).vm, vm);
    EXPECT_EQ(volume(id).device_id, 1);
    EXPECT_TRUE(is_plugged(vm, id));
}

TEST_F(DetachVolumeTest, APausedGuestIsNotEvenAsked) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    act("PauseVmInstance", vm);
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", id).code(), Code::operation_failed);
    EXPECT_TRUE(is_plugged(vm, id)) << "the request would be heeded at the resume";
    EXPECT_EQ(volume(id).vm, vm);
    act("ResumeVmInstance", vm);
    on("DetachDataVolumeFromVm", id);
}

TEST_F(DetachVolumeTest, AStoppedVmIsWithoutItAtItsNextStart) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    act("StopVmInstance", vm);
    on("DetachDataVolumeFromVm", id);
    act("StartVmInstance", vm);
    EXPECT_FALSE(is_plugged(vm, id));
}

TEST_F(DetachVolumeTest, WhatIsNotAttachedThereIsRefused) {
    const VmId vm = create_vm(), other = create_vm();
    const VolumeId id = create_volume();
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", id).code(), Code::operation_failed);
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", record(vm).root_volume).code(), Code::operation_failed);
    attach_to(vm, id);
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", id, {{"vmUuid", other.str()}}).code(), Code::operation_failed);
    EXPECT_EQ(volume(id).vm, vm);
    on("DetachDataVolumeFromVm", id, {{"vmUuid", vm.str()}});
}

TEST_F(DetachVolumeTest, AVmWhoseStateNobodyKnowsKeepsIt) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    world.faults.fail_next("look", Error(Code::timeout, "libvirt is slow"));
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", id).code(), Code::vm_wrong_state);
    EXPECT_EQ(volume(id).vm, vm);
}

TEST_F(DetachVolumeTest, TheNextLifeOfTheDaemonFindsItDone) {
    const VmId vm = create_vm();
    const VolumeId id = create_volume();
    attach_to(vm, id);
    world.domains().happen(vm, [&](FakeDomain& domain) { domain.spec.disks.pop_back(); });
    EXPECT_FALSE(call("DetachDataVolumeFromVm", {{"uuid", id.str()}}, true)["inventory"].contains("vmInstanceUuid"));
    EXPECT_FALSE(call("DetachDataVolumeFromVm", {{"uuid", id.str()}}, true)["inventory"].contains("vmInstanceUuid"));
}

using ShareableVolumeTest = VolumeLife;

TEST_F(ShareableVolumeTest, SeveralVmsHaveItAtTheSameTime) {
    const VmId one = create_vm(), two = create_stopped_vm();
    const VolumeId id = create_shareable();
    EXPECT_FALSE(attach_to(one, id)["inventory"].contains("vmInstanceUuid"));
    attach_to(two, id);
    act("StartVmInstance", two);
    for (const VmId& vm : {one, two}) {
        ASSERT_TRUE(is_plugged(vm, id));
        EXPECT_TRUE(live_disks(vm).back().shareable);
        EXPECT_EQ(live_disks(vm).back().format, "raw");
    }
    EXPECT_EQ(query("QueryShareableVolumeVmInstanceRef", {"volumeUuid=" + id.str()}).size(), 2u);
    EXPECT_EQ(only("QueryShareableVolumeVmInstanceRef", {"vmInstanceUuid=" + two.str()})["deviceId"], 1);
    EXPECT_EQ(outer_failure("AttachDataVolumeToVm", pair(id, one)).code(), Code::operation_failed);
}

TEST_F(ShareableVolumeTest, ItLeavesTheVmThatIsNamed) {
    const VmId one = create_vm(), two = create_vm();
    const VolumeId id = create_shareable();
    attach_to(one, id);
    attach_to(two, id);
    EXPECT_EQ(on_failure("DetachDataVolumeFromVm", id).code(), Code::operation_failed);
    on("DetachDataVolumeFromVm", id, {{"vmUuid", one.str()}});
    EXPECT_FALSE(is_plugged(one, id));
    EXPECT_TRUE(is_plugged(two, id));
    act("DestroyVmInstance", two);
    EXPECT_EQ(inventory.count<ShareableVolumeRef>(), 0);
    EXPECT_EQ(volume(id).status, VolumeStatus::ready);
}

TEST_F(ShareableVolumeTest, ItsDeviceIdIsTaken) {
    const VmId vm = create_vm();
    attach_to(vm, create_shareable());
    const VolumeId next = create_volume();
    attach_to(vm, next);
    EXPECT_EQ(volume(next).device_id, 2);
}

class CandidatesTest : public VolumeLife {
protected:
    static std::vector<std::string> uuids(const json& answer) {
        std::vector<std::string> found;
        for (const json& one : answer["inventories"]) found.push_back(one["uuid"]);
        return found;
    }
};

TEST_F(CandidatesTest, VmsThatCanTakeTheVolume) {
    const VmId running = create_vm(), stopped = create_stopped_vm(), paused = create_vm(),
               other = create_vm({{"platform", "Other"}});
    act("PauseVmInstance", paused);
    const VolumeId id = create_volume();
    const auto candidates = [&] { return uuids(call("GetDataVolumeAttachableVm", {{"volumeUuid", id.str()}})); };
    EXPECT_THAT(candidates(), testing::UnorderedElementsAre(running.str(), stopped.str()));
    attach_to(running, id);
    EXPECT_THAT(candidates(), IsEmpty());
    on("DetachDataVolumeFromVm", id);
    on("ChangeVolumeState", id, {{"stateEvent", "disable"}});
    EXPECT_EQ(failure_of("GetDataVolumeAttachableVm", {{"volumeUuid", id.str()}}).code(), Code::invalid_argument);
    EXPECT_EQ(failure_of("GetDataVolumeAttachableVm", {{"volumeUuid", record(running).root_volume.str()}}).code(),
              Code::invalid_argument);
}

TEST_F(CandidatesTest, VolumesThatTheVmCanTake) {
    const VmId vm = create_vm();
    const VolumeId free = create_volume(), ready = create_ready_volume(), taken = create_volume(),
                   disabled = create_volume(), deleted = create_volume(), shared = create_shareable();
    attach_to(create_vm(), taken);
    attach_to(create_vm(), shared);
    on("ChangeVolumeState", disabled, {{"stateEvent", "disable"}});
    on("DeleteDataVolume", deleted);
    EXPECT_THAT(uuids(call("GetVmAttachableDataVolume", {{"vmInstanceUuid", vm.str()}})),
                testing::UnorderedElementsAre(free.str(), ready.str(), shared.str()));
}

}  // namespace
}  // namespace hvagent::operations
