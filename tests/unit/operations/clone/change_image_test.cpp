#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class ChangeVmImage : public VmLife {
protected:
    VmId make() {
        const VmId vm = create_vm({{"strategy", "CreateStopped"}});
        world.settle();
        return vm;
    }
    std::string add_other(Bytes size = 4 * GiB) {
        http.serve("http://images/disk", image_file("qcow2", size));
        json request = image_request();
        request["name"] = "windows";
        request["platform"] = "Windows";
        request["guestOsType"] = "Windows 11";
        request["systemTags"] = {"bootMode::UEFI"};
        return create("AddImage", request);
    }
    static json request(const VmId& vm, const std::string& to, const std::string& root = make_uuid()) {
        return {{"vmInstanceUuid", vm.str()}, {"imageUuid", to}, {"resourceUuid", root}};
    }
};

TEST_F(ChangeVmImage, GivesTheVmAnotherRootVolume) {
    const VmId vm = make();
    const VolumeId old = record(vm).root_volume;
    const std::string other = add_other(), root = make_uuid();
    const json shown = call("ChangeVmImage", request(vm, other, root))["inventory"];
    EXPECT_EQ(shown["imageUuid"], other);
    EXPECT_EQ(shown["rootVolumeUuid"], root);
    EXPECT_EQ(shown["platform"], "Windows");
    EXPECT_EQ(shown["guestOsType"], "Windows 11");
    ASSERT_EQ(shown["allVolumes"].size(), 1u);
    EXPECT_EQ(shown["allVolumes"][0]["size"], 4 * GiB);
    EXPECT_EQ(shown["allVolumes"][0]["deviceId"], 0);
    EXPECT_EQ(inventory.get<Volume>(old).status, VolumeStatus::deleted);
    EXPECT_EQ(inventory.system_tag(vm.str(), "bootMode"), "UEFI");
    act("StartVmInstance", vm);
    EXPECT_THAT(world.find(vm)->spec.disks[0].path, HasSubstr(root));
    EXPECT_EQ(world.find(vm)->spec.firmware, Firmware::uefi);
}

TEST_F(ChangeVmImage, RemovesTheOldRootAtOnceWhereNothingIsKept) {
    settings.deletion_policy = "Direct";
    const VmId vm = make();
    const Volume old = volumes_of(vm)[0];
    call("ChangeVmImage", request(vm, add_other()));
    EXPECT_FALSE(inventory.find<Volume>(old.uuid));
    EXPECT_FALSE(disk.find(old.install_path));
}

TEST_F(ChangeVmImage, KeepsADiskThatIsLarger) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}, {"rootDiskSize", 8 * GiB}});
    call("ChangeVmImage", request(vm, add_other()));
    EXPECT_EQ(volumes_of(vm)[0].size, 8 * GiB);
}

TEST_F(ChangeVmImage, RefusesWhatIsNoCandidate) {
    const VmId vm = make();
    EXPECT_EQ(failure_of("ChangeVmImage", request(vm, add_iso())).code(), Code::invalid_argument);
    const std::string other = add_other();
    const auto candidates = [&] {
        return call("GetImageCandidatesForVmToChange", {{"vmInstanceUuid", vm.str()}})["inventories"].size();
    };
    EXPECT_EQ(candidates(), 2u);
    inventory.modify<Image>(ImageId(other), [](Image& one) { one.state = EnabledState::disabled; });
    EXPECT_EQ(candidates(), 1u);
    EXPECT_THAT(failure_of("ChangeVmImage", request(vm, other)).details(), HasSubstr("is Disabled"));
    act("StartVmInstance", vm);
    EXPECT_EQ(failure_of("ChangeVmImage", request(vm, image)).code(), Code::vm_wrong_state);
}

TEST_F(ChangeVmImage, ThatFailsLeavesNothing) {
    const VmId vm = make();
    const std::string other = add_other();
    const auto before = disk.paths();
    images.faults.fail_next("create_overlay", Error(Code::storage_allocate, "No space left on device"));
    failure_of("ChangeVmImage", request(vm, other));
    EXPECT_EQ(inventory.count<Volume>(), 1);
    EXPECT_EQ(record(vm).image.str(), image);
    EXPECT_EQ(volume_files().size(), 1u);
}

TEST_F(ChangeVmImage, IsNotDoneAgainInTheNextLife) {
    const VmId vm = make();
    const json sent = request(vm, add_other());
    FakeJob job(clock);
    run(job, "ChangeVmImage", sent);
    FakeJob again = job.next_life();
    run(again, "ChangeVmImage", sent);
    EXPECT_EQ(volumes_of(vm).size(), 1u);
    EXPECT_EQ(inventory.count<Volume>(), 2);
    EXPECT_EQ(record(vm).root_volume.str(), sent["resourceUuid"]);
}

}  // namespace
}  // namespace hvagent::operations
