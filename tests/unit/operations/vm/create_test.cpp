#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

using CreateVmTest = VmLife;

TEST_F(CreateVmTest, StartsItAtOnce) {
    const VmId vm = create_vm();
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_EQ(record(vm).host, host);
    EXPECT_TRUE(record(vm).should_run);
    EXPECT_TRUE(world.find(vm)->is_active());
    ASSERT_EQ(nics_of(vm).size(), 1u);
    EXPECT_FALSE(nics_of(vm)[0].ip.empty());
    EXPECT_EQ(dhcp_entries(), 1u);
    ASSERT_EQ(volumes_of(vm).size(), 1u);
    EXPECT_EQ(record(vm).root_volume, volumes_of(vm)[0].uuid);
    EXPECT_EQ(volumes_of(vm)[0].size, 2 * GiB);
    EXPECT_TRUE(disk.find(volumes_of(vm)[0].install_path));
}

TEST_F(CreateVmTest, MakesVolumesButNoDomainForCreateStopped) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    EXPECT_EQ(state_of(vm), VmState::stopped);
    EXPECT_FALSE(record(vm).should_run);
    EXPECT_FALSE(world.find(vm));
    EXPECT_EQ(volume_files().size(), 1u);
    act("StartVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::running);
}

TEST_F(CreateVmTest, RecordsOnlyForJustCreateUntilTheFirstStart) {
    const VmId vm = create_vm({{"strategy", "JustCreate"}, {"dataDiskSizes", {GiB}}});
    EXPECT_EQ(state_of(vm), VmState::created);
    EXPECT_TRUE(volumes_of(vm).empty());
    EXPECT_TRUE(volume_files().empty());
    act("StartVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_EQ(volumes_of(vm).size(), 2u);
    EXPECT_EQ(volume_files().size(), 2u);
}

TEST_F(CreateVmTest, LeavesNothingWhenAStepFails) {
    const Error failure(Code::operation_failed, "ordered by the test");
    const std::vector<std::pair<Faults*, std::string>> places{
        {&files.faults, "make_directories"}, {&files.faults, "copy"},      {&images.faults, "create_overlay"},
        {&images.faults, "create_empty"},    {&files.faults, "allocated"}, {&world.faults, "ensure_nat_network"},
        {&world.faults, "put_dhcp_host"},    {&world.faults, "define"},    {&world.faults, "start"}};
    const json request = vm_request({{"dataDiskSizes", {GiB}}, {"systemTags", {"hostname::web"}}});
    for (const auto& [faults, method] : places) {
        SCOPED_TRACE(method);
        for (const std::string& path : disk.paths())
            if (path.find("imagecache") != std::string::npos) disk.remove(path);
        const VmId vm = VmId::make();
        json named = request;
        named["resourceUuid"] = vm.str();
        faults->fail_next(method, failure);
        EXPECT_THAT(failure_of("CreateVmInstance", named).details(), HasSubstr("ordered by the test"));
        expect_nothing_left(vm);
    }
    EXPECT_EQ(inventory.count<Image>(), 1);
}

TEST_F(CreateVmTest, ThatCannotBeTakenOffTheHostStaysRecorded) {
    const VmId vm = VmId::make();
    const json request = vm_request({{"resourceUuid", vm.str()}});
    world.faults.fail_next("start", Error(Code::timeout, "libvirt did not answer"));
    world.faults.fail_next("destroy", Error(Code::timeout, "libvirt did not answer"));
    failure_of("CreateVmInstance", request);
    ASSERT_TRUE(inventory.find<Vm>(vm));
    EXPECT_EQ(volume_files().size(), 1u) << "QEMU may still write to it";
    act("DestroyVmInstance", vm);
    EXPECT_EQ(state_of(vm), VmState::destroyed);
}

class CreateInLives : public VmLife {
protected:
    // Runs the job until it copies the image, then asks it to end.
    Error interrupt(FakeJob& job, CancelReason reason) {
        files.faults.hang("copy");
        std::optional<Error> ended;
        std::thread worker([&] {
            try {
                run(job, "CreateVmInstance", request);
            } catch (const Error& error) {
                ended = error;
            }
        });
        EXPECT_TRUE(files.faults.wait_until_hanging("copy"));
        EXPECT_EQ(state_of(vm), VmState::starting);
        job.cancellation().request(reason);
        worker.join();
        files.faults.release("copy");
        return ended.value_or(Error(Code::internal, "the job was not interrupted"));
    }
    const VmId vm = VmId::make();
    const json request = vm_request({{"resourceUuid", vm.str()}, {"dataDiskSizes", {GiB}}});
};

TEST_F(CreateInLives, LeavesNothingWhenCancelled) {
    FakeJob job(clock);
    EXPECT_EQ(interrupt(job, CancelReason::asked).code(), Code::job_cancelled);
    expect_nothing_left(vm);
}

TEST_F(CreateInLives, GoesOnInTheNextLifeOfTheDaemon) {
    FakeJob job(clock);
    EXPECT_EQ(interrupt(job, CancelReason::stopping).code(), Code::job_cancelled);
    ASSERT_TRUE(inventory.find<Vm>(vm));
    const auto planned = volumes_of(vm);
    FakeJob again = job.next_life();
    run(again, "CreateVmInstance", request);
    world.settle();
    EXPECT_EQ(state_of(vm), VmState::running);
    ASSERT_EQ(volumes_of(vm).size(), 2u);
    EXPECT_EQ(volumes_of(vm)[0].uuid, planned[0].uuid);
    EXPECT_EQ(nics_of(vm).size(), 1u);
    EXPECT_EQ(volume_files().size(), 2u);
}

TEST_F(CreateInLives, ChangesNothingWhenTheEarlierLifeDidItAll) {
    FakeJob job(clock);
    run(job, "CreateVmInstance", request);
    const std::string address = nics_of(vm)[0].ip;
    FakeJob again = job.next_life();
    run(again, "CreateVmInstance", request);
    world.settle();
    EXPECT_EQ(state_of(vm), VmState::running);
    EXPECT_EQ(nics_of(vm)[0].ip, address);
    EXPECT_EQ(volume_files().size(), 2u);
    EXPECT_EQ(inventory.count<UsedIp>(), 1);
}

class CreateRefused : public VmLife {
protected:
    std::string why(const json& more) {
        const json request = vm_request(more);
        const std::string reason = failure_of("CreateVmInstance", request).details();
        EXPECT_EQ(inventory.count<Vm>(), 0);
        return reason;
    }
};

TEST_F(CreateRefused, NamesTheTag) {
    EXPECT_THAT(why({{"systemTags", {"userdata::IyEvYmlu"}}}), HasSubstr("'userdata' is not supported"));
    EXPECT_THAT(why({{"systemTags", {"colour::red"}}}), HasSubstr("'colour::red'"));
    EXPECT_THAT(why({{"systemTags", {"bootOrder::CdRom,mmm"}}}), HasSubstr("bootOrder::<comma list"));
    EXPECT_THAT(why({{"systemTags", {"consolePassword::far-too-long"}}}), HasSubstr("consolePassword"));
    EXPECT_THAT(why({{"systemTags", {"staticIp::" + make_uuid() + "::10.0.0.1"}}}), HasSubstr("not in 'l3NetworkUuids'"));
    EXPECT_THAT(why({{"systemTags", {"hostname::a", "hostname::b"}}}), HasSubstr("'hostname' stands twice"));
    EXPECT_THAT(why({{"rootVolumeSystemTags", {"fast"}}}), HasSubstr("'fast'"));
}

TEST_F(CreateRefused, NamesTheParameter) {
    EXPECT_THAT(why({{"dataDiskSizes", std::vector<Bytes>(25, GiB)}}), HasSubstr("at most 24 data volumes"));
    EXPECT_THAT(why({{"dataDiskSizes", {0}}}), HasSubstr("size above 0"));
    EXPECT_THAT(why({{"rootDiskSize", GiB}}), HasSubstr("smaller than the image"));
    EXPECT_THAT(why({{"memorySize", MiB}}), HasSubstr("at least 16 MiB"));
    EXPECT_THAT(why({{"reservedMemorySize", 2 * GiB}}), HasSubstr("must not exceed"));
    EXPECT_THAT(why({{"cpuNum", nullptr}}), HasSubstr("'cpuNum' and 'memorySize'"));
    EXPECT_THAT(why({{"vmNicParams", "[{\"colour\":1}]"}}), HasSubstr("l3NetworkUuid"));
    EXPECT_THAT(why({{"l3NetworkUuids", {made("l3-network"), made("l3-network")}}}), HasSubstr("stands twice"));
    EXPECT_THAT(why({{"dataVolumeSystemTagsOnIndex", {{"0", {"capability::virtio-scsi"}}}}}),
                HasSubstr("no data volume \"0\""));
    EXPECT_THAT(why({{"sshKeyPairUuids", {make_uuid()}}}), HasSubstr("sshKeyPairUuids"));
}

TEST_F(CreateRefused, NamesAnImageThatCannotBeUsed) {
    vm_request();
    inventory.modify<Image>(ImageId(image), [](Image& one) { one.state = EnabledState::disabled; });
    EXPECT_THAT(why(json::object()), HasSubstr("the image debian is Disabled"));
    inventory.modify<Image>(ImageId(image), [](Image& one) {
        one.state = EnabledState::enabled;
        one.status = ImageStatus::downloading;
    });
    EXPECT_THAT(why(json::object()), HasSubstr("Downloading, not Ready"));
}

TEST_F(CreateRefused, WhenTheHostIsTooSmall) {
    EXPECT_THAT(why({{"memorySize", 33 * GiB}}), HasSubstr("the VM needs 33"));
    EXPECT_THAT(why({{"cpuNum", 81}}), HasSubstr("virtual CPUs left"));
    EXPECT_THAT(why({{"hostUuid", made("zone")}}), HasSubstr("host"));
}

TEST_F(CreateVmTest, CountsAVmThatIsStartingAgainstTheHost) {
    const json big = vm_request({{"memorySize", 20 * GiB}});
    world.faults.hang("start");
    std::thread first([&] { create("CreateVmInstance", big); });
    ASSERT_TRUE(world.faults.wait_until_hanging("start"));
    const Error error = failure_of("CreateVmInstance", big);
    world.faults.release("start");
    first.join();
    EXPECT_EQ(error.code(), Code::no_available_host);
    EXPECT_EQ(inventory.count<Vm>(), 1);
}

TEST_F(CreateVmTest, AnIsoNeedsASizeAndIsInTheDrive) {
    image = add_iso();
    EXPECT_THAT(failure_of("CreateVmInstance", vm_request()).details(), HasSubstr("'rootDiskSize' is required"));
    const VmId vm = create_vm({{"rootDiskSize", 3 * GiB}});
    EXPECT_EQ(volumes_of(vm)[0].size, 3 * GiB);
    const auto drives = world.find(vm)->spec.cdroms;
    ASSERT_EQ(drives.size(), 1u);
    EXPECT_TRUE(disk.find(drives[0].iso_path));
}

TEST_F(CreateVmTest, TakesSeveralNetworksAndADefault) {
    L2Network bridge;
    bridge.uuid = L2NetworkId::make();
    bridge.name = "office";
    bridge.physical_interface = "br7";
    inventory.insert(bridge);
    L3Network office;
    office.uuid = L3NetworkId::make();
    office.l2_network = bridge.uuid;
    inventory.insert(office);
    const json wanted{{"l3NetworkUuids", {made("l3-network"), office.uuid.str()}},
                      {"defaultL3NetworkUuid", office.uuid.str()}};
    EXPECT_THAT(failure_of("CreateVmInstance", vm_request(wanted)).details(), HasSubstr("needs the bridge br7"));
    world.networks().add_bridge("br7");
    const VmId vm = create_vm(wanted);
    EXPECT_EQ(record(vm).default_l3, office.uuid);
    const auto nics = world.find(vm)->spec.nics;
    ASSERT_EQ(nics.size(), 2u);
    EXPECT_EQ(nics[0].network, settings.network_name);
    EXPECT_EQ(nics[1].bridge, "br7");
    EXPECT_TRUE(nics_of(vm)[1].ip.empty()) << "nobody gave this network addresses";
}

TEST_F(CreateVmTest, GivesAStaticAddressOnlyOnce) {
    const json tag{{"systemTags", {"staticIp::" + made("l3-network") + "::192.168.221.77"}}};
    const VmId vm = create_vm(tag);
    EXPECT_EQ(nics_of(vm)[0].ip, "192.168.221.77");
    EXPECT_THAT(failure_of("CreateVmInstance", vm_request(tag)).details(), HasSubstr("is taken"));
    EXPECT_EQ(inventory.count<Vm>(), 1);
}

}  // namespace
}  // namespace hvagent::operations
