#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class CloneVmTest : public VmLife {
protected:
    VmId make(const std::string& strategy = "CreateStopped", const std::vector<std::string>& tags = {}) {
        return create_vm({{"strategy", strategy}, {"dataDiskSizes", {GiB}}, {"systemTags", tags}});
    }
    static json request(const VmId& vm, const std::vector<std::string>& names, const json& more = json::object()) {
        json sent{{"vmInstanceUuid", vm.str()}, {"names", names}};
        sent.update(more);
        return sent;
    }
    json clone(const VmId& vm, const std::vector<std::string>& names, const json& more = json::object()) {
        const json result = call("CloneVmInstance", request(vm, names, more))["result"];
        world.settle();
        return result;
    }
    static VmId id_of(const json& result, std::size_t index = 0) {
        return VmId(result["inventories"][index]["inventory"]["uuid"].get<std::string>());
    }
    static json stopped() { return {{"strategy", "CreateStopped"}}; }
};

TEST_F(CloneVmTest, MakesOneRunningVmPerName) {
    const VmId vm = make();
    const json result = clone(vm, {"one", "two"});
    EXPECT_EQ(result["numberOfClonedVm"], 2);
    ASSERT_EQ(result["inventories"].size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        const json made = result["inventories"][i]["inventory"];
        EXPECT_EQ(made["name"], i == 0 ? "one" : "two");
        EXPECT_EQ(made["state"], "Running");
        EXPECT_EQ(made["memorySize"], GiB);
        ASSERT_EQ(made["allVolumes"].size(), 1u) << "data volumes only with full";
        EXPECT_EQ(made["allVolumes"][0]["status"], "Ready");
        EXPECT_EQ(world.find(id_of(result, i))->state, VmState::running);
    }
}

TEST_F(CloneVmTest, GivesNewIdsAndAddresses) {
    const VmId vm = make("InstantStart");
    const VmId made = id_of(clone(vm, {"one"}));
    const VmNic theirs = nics_of(vm)[0], ours = nics_of(made)[0];
    EXPECT_NE(ours.uuid, theirs.uuid);
    EXPECT_NE(ours.mac, theirs.mac);
    EXPECT_NE(ours.internal_name, theirs.internal_name);
    EXPECT_NE(ours.ip, theirs.ip);
    EXPECT_FALSE(ours.ip.empty());
    EXPECT_NE(record(made).root_volume, record(vm).root_volume);
}

TEST_F(CloneVmTest, CopiesTheDataVolumesWhenAskedFor) {
    const VmId vm = make();
    const VmId made = id_of(clone(vm, {"one"}, {{"full", true}, {"strategy", "CreateStopped"}}));
    const auto volumes = volumes_of(made);
    ASSERT_EQ(volumes.size(), 2u);
    for (const Volume& volume : volumes) EXPECT_TRUE(disk.find(volume.install_path));
    EXPECT_EQ(state_of(made), VmState::stopped);
    EXPECT_EQ(volume_files().size(), 4u);
}

TEST_F(CloneVmTest, OfAStoppedVmLiesOnTheSameImage) {
    const VmId vm = make();
    FakeFile layer = disk.get(volumes_of(vm)[0].install_path);
    layer.content = "marker";
    disk.put(volumes_of(vm)[0].install_path, layer);
    const VmId made = id_of(clone(vm, {"one"}, stopped()));
    const FakeFile copy = disk.get(volumes_of(made)[0].install_path);
    EXPECT_EQ(copy.content, "marker");
    EXPECT_EQ(copy.image.backing_file, layer.image.backing_file);
    EXPECT_EQ(volumes_of(made)[0].root_image.str(), image);
}

TEST_F(CloneVmTest, OfSnapshotLayersStandsAlone) {
    const VmId vm = make();
    const Volume root = volumes_of(vm)[0];
    const std::string overlay = root.install_path.substr(0, root.install_path.rfind('/')) + "/snapshots/s.qcow2";
    disk.put(overlay, {"", {"qcow2", root.size, MiB, root.install_path, false, false}, MiB});
    inventory.modify<Volume>(root.uuid, [&](Volume& record) { record.install_path = overlay; });
    const VmId made = id_of(clone(vm, {"one"}, stopped()));
    EXPECT_EQ(disk.get(volumes_of(made)[0].install_path).image.backing_file, "");
}

TEST_F(CloneVmTest, OfARunningVmReadsItsDisksOnce) {
    const VmId vm = make("InstantStart");
    world.faults.hang("copy_disks");
    std::thread releases([&] {
        EXPECT_TRUE(world.faults.wait_until_hanging("copy_disks"));
        world.faults.release("copy_disks");
    });
    const json result = clone(vm, {"one", "two"}, {{"strategy", "CreateStopped"}, {"full", true}});
    releases.join();
    const std::string source = record(vm).root_volume.str();
    for (std::size_t i = 0; i < 2; ++i) {
        const Volume root = inventory.get<Volume>(record(id_of(result, i)).root_volume);
        EXPECT_EQ(disk.get(root.install_path).content, "copy of " + source);
        EXPECT_EQ(disk.get(root.install_path).image.backing_file, "");
    }
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_F(CloneVmTest, CopiesTagsThatAreNotAboutOneVm) {
    const std::string l3 = made("l3-network");
    const VmId vm = make("CreateStopped", {"hostname::web", "staticIp::" + l3 + "::192.168.221.50", "usbRedirect::true",
                                           "customMac::" + l3 + "::fa:00:00:00:00:01", "bootMode::Legacy"});
    const VmId copy = id_of(clone(vm, {"one"}, {{"systemTags", {"bootMode::UEFI"}}, {"userTags", {"mine"}}}));
    std::vector<std::string> texts;
    for (const Tag& tag : inventory.tags_of(copy.str(), "System")) texts.push_back(tag.tag);
    EXPECT_THAT(texts, testing::UnorderedElementsAre("usbRedirect::true", "bootMode::UEFI"));
    EXPECT_EQ(inventory.tags_of(copy.str(), "User").size(), 1u);
    EXPECT_NE(nics_of(copy)[0].mac, "fa:00:00:00:00:01");
}

TEST_F(CloneVmTest, HasEmptyDrives) {
    const VmId vm = make();
    call("AttachIsoToVmInstance", {{"vmInstanceUuid", vm.str()}, {"isoUuid", add_iso()}});
    const VmId made = id_of(clone(vm, {"one"}));
    const auto drives = inventory.list<VmCdRom>({{"vmInstanceUuid", made.str()}});
    ASSERT_EQ(drives.size(), 1u);
    EXPECT_TRUE(drives[0].iso.empty());
}

TEST_F(CloneVmTest, JustCreatedCanBeStartedLater) {
    const VmId vm = make();
    FakeFile layer = disk.get(volumes_of(vm)[0].install_path);
    layer.content = "marker";
    disk.put(volumes_of(vm)[0].install_path, layer);
    const VmId made = id_of(clone(vm, {"one"}, {{"strategy", "JustCreate"}}));
    EXPECT_EQ(state_of(made), VmState::created);
    act("StartVmInstance", made);
    EXPECT_EQ(state_of(made), VmState::running);
    EXPECT_EQ(disk.get(volumes_of(made)[0].install_path).content, "marker");
}

TEST_F(CloneVmTest, ThatFailsLeavesNothingAndTheOthersLive) {
    const VmId vm = make();
    files.faults.fail_next("copy", Error(Code::io_failed, "bad sector"));
    const json result = clone(vm, {"one", "two"}, stopped());
    EXPECT_EQ(result["numberOfClonedVm"], 1);
    EXPECT_EQ(result["inventories"][0]["error"]["code"], "SYS.1006");
    EXPECT_THAT(result["inventories"][0]["error"]["details"].get<std::string>(), HasSubstr("bad sector"));
    EXPECT_EQ(result["inventories"][1]["inventory"]["name"], "two");
    EXPECT_EQ(inventory.count<Vm>(), 2);
    EXPECT_EQ(volume_files().size(), 3u);
    EXPECT_EQ(inventory.count<Volume>(), 3);
}

TEST_F(CloneVmTest, ThatCannotStartLeavesNothing) {
    const VmId vm = make();
    world.faults.fail_next("start", Error(Code::operation_failed, "no"));
    const json result = clone(vm, {"one"});
    EXPECT_EQ(result["numberOfClonedVm"], 0);
    EXPECT_EQ(inventory.count<Vm>(), 1);
    EXPECT_EQ(inventory.count<UsedIp>(), 0);
    EXPECT_EQ(volume_files().size(), 2u);
}

TEST_F(CloneVmTest, IsRefusedWhereTheDisksDoNotFit) {
    const VmId vm = make();
    disk.leave_only(MiB);
    const Error error = failure_of("CloneVmInstance", request(vm, {"one"}));
    EXPECT_EQ(error.code(), Code::storage_allocate);
    EXPECT_EQ(inventory.count<Vm>(), 1);
    EXPECT_EQ(inventory.count<Volume>(), 2);
}

TEST_F(CloneVmTest, RefusesByName) {
    const VmId vm = make();
    const auto why = [&](std::vector<std::string> names, const json& more) {
        const Error error = failure_of("CloneVmInstance", request(vm, names, more));
        EXPECT_EQ(inventory.count<Vm>(), 1);
        return error.details();
    };
    EXPECT_THAT(why({}, json::object()), HasSubstr("'names'"));
    EXPECT_THAT(why({"<b>"}, json::object()), HasSubstr("'names'"));
    EXPECT_THAT(why({"a"}, {{"vmNicParams", {"{}"}}}), HasSubstr("vmNicParams"));
    EXPECT_THAT(why({"a"}, {{"systemTags", {"cdroms::Empty"}}}), HasSubstr("'cdroms'"));
    EXPECT_THAT(why({"a", "b"}, {{"systemTags", {"hostname::a"}}}), HasSubstr("one clone only"));
    EXPECT_THAT(why({"a"}, {{"systemTags", {"colour::red"}}}), HasSubstr("colour::red"));
    EXPECT_THAT(why({"a"}, {{"rootVolumeSystemTags", {"fast"}}}), HasSubstr("'fast'"));
}

class CloneInLives : public CloneVmTest {
protected:
    FakeJob job{clock};
    Error interrupt(const std::function<void()>& begin, Faults& faults, const std::string& method, CancelReason reason) {
        faults.hang(method);
        Error seen(Code::internal, "it did not fail");
        std::thread runs([&] {
            try {
                begin();
            } catch (const Error& error) {
                seen = error;
            }
        });
        EXPECT_TRUE(faults.wait_until_hanging(method));
        job.cancellation().request(reason);
        runs.join();
        faults.release(method);
        return seen;
    }
};

TEST_F(CloneInLives, CancelledItLeavesNothing) {
    const VmId vm = make("InstantStart");
    const auto error = interrupt(
        [&] {
            run(job, "CloneVmInstance", request(vm, {"one", "two"}));
        },
        world.faults, "copy_disks", CancelReason::asked);
    EXPECT_EQ(error.code(), Code::job_cancelled);
    world.settle();
    EXPECT_EQ(inventory.count<Vm>(), 1);
    EXPECT_EQ(inventory.count<Volume>(), 2);
    EXPECT_EQ(volume_files().size(), 2u);
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_F(CloneInLives, GoesOnWithTheSameVmsInTheNextLife) {
    const VmId vm = make("InstantStart");
    interrupt(
        [&] {
            run(job, "CloneVmInstance", request(vm, {"one", "two"}));
        },
        world.faults, "copy_disks", CancelReason::stopping);
    EXPECT_EQ(inventory.count<Vm>(), 3);
    FakeJob again = job.next_life();
    const json result = run(again, "CloneVmInstance", request(vm, {"one", "two"}))["result"];
    world.settle();
    EXPECT_EQ(result["numberOfClonedVm"], 2);
    EXPECT_EQ(inventory.count<Vm>(), 3);
    EXPECT_EQ(volume_files().size(), 4u);
    EXPECT_EQ(state_of(id_of(result, 1)), VmState::running);
}

TEST_F(CloneInLives, ChangesNothingWhenTheEarlierLifeDidItAll) {
    const VmId vm = make();
    const json first = run(job, "CloneVmInstance", request(vm, {"one", "two"}))["result"];
    world.settle();
    const std::string address = nics_of(id_of(first))[0].ip;
    FakeJob again = job.next_life();
    const json second = run(again, "CloneVmInstance", request(vm, {"one", "two"}))["result"];
    EXPECT_EQ(id_of(first), id_of(second));
    EXPECT_EQ(nics_of(id_of(first))[0].ip, address);
    EXPECT_EQ(state_of(id_of(first)), VmState::running);
    EXPECT_EQ(volume_files().size(), 4u);
}

TEST_F(CloneInLives, TellsAFailureOfTheEarlierLifeAgain) {
    const VmId vm = make();
    files.faults.fail_next("copy", Error(Code::io_failed, "bad sector"));
    run(job, "CloneVmInstance", request(vm, {"one", "two"}, stopped()));
    FakeJob again = job.next_life();
    const json result = run(again, "CloneVmInstance", request(vm, {"one", "two"}, stopped()))["result"];
    EXPECT_EQ(result["numberOfClonedVm"], 1);
    EXPECT_THAT(result["inventories"][0]["error"]["details"].get<std::string>(), HasSubstr("bad sector"));
    EXPECT_EQ(inventory.count<Vm>(), 2);
}

}  // namespace
}  // namespace hvagent::operations
