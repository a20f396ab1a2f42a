#include "tests/unit/operations/cdrom/cdrom_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

TEST_F(CdRoms, AnIsoGoesIntoTheDriveOfARunningVmAndIntoItsRecord) {
    const VmId vm = create_vm();
    const std::string iso = add_iso();
    const json shown = attach(vm, iso);
    ASSERT_EQ(shown["vmCdRoms"].size(), 1u);
    EXPECT_EQ(shown["vmCdRoms"][0]["isoUuid"], iso);
    const std::string path = shown["vmCdRoms"][0]["isoInstallPath"];
    EXPECT_TRUE(disk.find(path));
    EXPECT_EQ(live_media(vm).at(0), path);
}

TEST_F(CdRoms, APausedVmGetsItToo) {
    const VmId vm = create_vm();
    act("PauseVmInstance", vm);
    attach(vm, add_iso());
    EXPECT_THAT(live_media(vm).at(0), HasSubstr("/imagecache/iso/"));
}

TEST_F(CdRoms, AStoppedVmHasItAtItsNextStart) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    attach(vm, add_iso());
    act("StartVmInstance", vm);
    EXPECT_THAT(live_media(vm).at(0), HasSubstr("/imagecache/iso/"));
}

TEST_F(CdRoms, TheSecondIsoGoesIntoTheNextDriveAndAThirdHasNone) {
    const VmId vm = create_vm(tags({"cdroms::Empty::Empty"}));
    const std::string first = add_iso(), second = add_iso(), third = add_iso();
    attach(vm, first);
    attach(vm, second);
    EXPECT_EQ(drives(vm)[0].iso.str(), first);
    EXPECT_EQ(drives(vm)[1].iso.str(), second);
    EXPECT_THAT(failure_of("AttachIsoToVmInstance", of(vm, third)).details(), HasSubstr("no empty CD-ROM"));
    EXPECT_THAT(failure_of("AttachIsoToVmInstance", of(vm, first)).details(), HasSubstr("already"));
}

TEST_F(CdRoms, ATagNamesTheDrive) {
    const VmId vm = create_vm(tags({"cdroms::Empty::Empty"}));
    const std::string iso = add_iso();
    attach(vm, iso, tags({"cdromUuid::" + drives(vm)[1].uuid.str()}));
    EXPECT_TRUE(drives(vm)[0].iso.empty());
    EXPECT_EQ(drives(vm)[1].iso.str(), iso);
    json request = of(vm, add_iso());
    request.update(tags({"cdromUuid::" + drives(vm)[1].uuid.str()}));
    EXPECT_THAT(failure_of("AttachIsoToVmInstance", request).details(), HasSubstr("holds the ISO " + iso));
    request.update(tags({"cdromUuid::" + make_uuid()}));
    EXPECT_THAT(failure_of("AttachIsoToVmInstance", request).details(), HasSubstr("has no CD-ROM"));
    request.update(tags({"colour::red"}));
    EXPECT_EQ(failure_of("AttachIsoToVmInstance", request).code(), Code::invalid_argument);
}

TEST_F(CdRoms, OnlyAReadyIsoCanBeAttached) {
    const VmId vm = create_vm();
    EXPECT_EQ(failure_of("AttachIsoToVmInstance", of(vm, image)).code(), Code::invalid_argument);
    const std::string iso = add_iso();
    inventory.modify<Image>(ImageId(iso), [](Image& one) { one.state = EnabledState::disabled; });
    EXPECT_THAT(failure_of("AttachIsoToVmInstance", of(vm, iso)).details(), HasSubstr("Disabled"));
}

TEST_F(CdRoms, ADriveThatDoesNotTakeItStaysEmpty) {
    const VmId vm = create_vm();
    const std::string iso = add_iso();
    world.faults.fail_next("change_medium", Error(Code::timeout, "no answer"));
    failure_of("AttachIsoToVmInstance", of(vm, iso));
    EXPECT_TRUE(drives(vm)[0].iso.empty());
    EXPECT_EQ(live_media(vm).at(0), "");
}

TEST_F(CdRoms, AnAttachThatWasKilledIsFinishedInTheSameDrive) {
    const VmId vm = create_vm(tags({"cdroms::Empty::Empty"}));
    const std::string iso = add_iso();
    FakeJob job(clock);
    run(job, "AttachIsoToVmInstance", of(vm, iso));
    inventory.modify<VmCdRom>(drives(vm)[0].uuid, [](VmCdRom& drive) {  // the kill came before this was written
        drive.iso = ImageId();
        drive.iso_path.clear();
    });
    FakeJob again = job.next_life();
    run(again, "AttachIsoToVmInstance", of(vm, iso));
    EXPECT_EQ(drives(vm)[0].iso.str(), iso);
    EXPECT_THAT(live_media(vm)[0], HasSubstr(iso));
    EXPECT_EQ(live_media(vm)[1], "");
}

TEST_F(CdRoms, DetachEmptiesTheDrive) {
    const VmId vm = create_vm();
    attach(vm, add_iso());
    const json shown = call("DetachIsoFromVmInstance", of(vm))["inventory"];
    EXPECT_FALSE(shown["vmCdRoms"][0].contains("isoUuid"));
    EXPECT_EQ(live_media(vm).at(0), "");
    EXPECT_NO_THROW(call("DetachIsoFromVmInstance", of(vm))) << "not attached is a success";
}

TEST_F(CdRoms, ATrayThatTheGuestLocksIsOpenedByForce) {
    const VmId vm = create_vm();
    attach(vm, add_iso());
    disks.locks_tray = true;
    call("DetachIsoFromVmInstance", of(vm));
    EXPECT_EQ(live_media(vm).at(0), "");
    EXPECT_TRUE(drives(vm)[0].iso.empty());
}

TEST_F(CdRoms, DetachMustSayWhichOfTwo) {
    const VmId vm = create_vm(tags({"cdroms::Empty::Empty"}));
    const std::string first = add_iso(), second = add_iso();
    attach(vm, first);
    attach(vm, second);
    EXPECT_EQ(failure_of("DetachIsoFromVmInstance", of(vm)).code(), Code::operation_failed);
    call("DetachIsoFromVmInstance", of(vm, second));
    EXPECT_EQ(drives(vm)[0].iso.str(), first);
    EXPECT_TRUE(drives(vm)[1].iso.empty());
}

TEST_F(CdRoms, CandidatesAreWhatCouldBeAttached) {
    const VmId vm = create_vm();
    const std::string attached = add_iso(), free = add_iso(), disabled = add_iso();
    inventory.modify<Image>(ImageId(disabled), [](Image& one) { one.state = EnabledState::disabled; });
    attach(vm, attached);
    const auto isos = [&] { return call("GetCandidateIsoForAttachingVm", {{"vmInstanceUuid", vm.str()}})["inventories"]; };
    ASSERT_EQ(isos().size(), 1u);
    EXPECT_EQ(isos()[0]["uuid"], free);
    act("PauseVmInstance", vm);
    EXPECT_TRUE(isos().empty());
}

TEST_F(CdRoms, VmsForAnIsoRunOrAreStopped) {
    const std::string iso = add_iso();
    const VmId running = create_vm();
    const VmId paused = create_vm();
    create_vm({{"strategy", "JustCreate"}});
    act("PauseVmInstance", paused);
    const json found = call("GetCandidateVmForAttachingIso", {{"isoUuid", iso}})["inventories"];
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0]["uuid"], running.str());
    EXPECT_EQ(failure_of("GetCandidateVmForAttachingIso", {{"isoUuid", image}}).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace hvagent::operations
