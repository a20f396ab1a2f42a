// Disks of VMs whose guest takes no part: QEMU and libvirt do the work. Real libvirtd and QEMU.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/disk_files.h"
#include "tests/libvirt/host_under_test.h"
#include "tests/libvirt/lab.h"

namespace hvagent::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int disk_megabytes = 64;

class VmDisksOfQemu : public ::testing::Test {
protected:
    void SetUp() override {
        lab = Lab::get();
        if (!lab) GTEST_SKIP() << Lab::why();
        libvirt::LibvirtSettings settings;
        settings.uri = lab->uri();
        settings.virt_type = "qemu";
        host = std::make_unique<libvirt::LibvirtHost>(settings, clock, images);
        directory = lab->directory() + "/disks";
        std::filesystem::remove_all(directory);
        std::filesystem::create_directories(directory);
        spec.vm = VmId::make();
        spec.memory = 32 * MiB;
        spec.cdroms = {CdRomSpec{CdRomId::make(), 0, ""}, CdRomSpec{CdRomId::make(), 1, ""}};
    }
    void TearDown() override {
        if (!host) return;
        if (const pid_t qemu = Lab::qemu_of(spec.vm)) kill(qemu, SIGCONT);
        host->power().destroy(spec.vm);
        host->definitions().undefine(spec.vm);
    }
    std::string file(const std::string& name) const { return directory + "/" + name; }
    // base <- mid <- top, each with 8 MiB of its own.
    DiskSpec layered_disk(int device_id) {
        const std::string name = "disk" + std::to_string(device_id);
        make_layer(file(name + ".base"), "", disk_megabytes, 0xb0 + device_id, 0, 8);
        make_layer(file(name + ".mid"), file(name + ".base"), disk_megabytes, 0x30 + device_id, 4, 8);
        make_layer(file(name + ".top"), file(name + ".mid"), disk_megabytes, 0x70 + device_id, 16, 8);
        DiskSpec disk;
        disk.volume = VolumeId::make();
        disk.path = file(name + ".top");
        disk.device_id = device_id;
        return disk;
    }
    DiskSpec empty_disk(int device_id) {
        DiskSpec disk;
        disk.volume = VolumeId::make();
        disk.path = file("empty" + std::to_string(device_id));
        disk.device_id = device_id;
        EXPECT_TRUE(shell("qemu-img create -q -f qcow2 " + disk.path + " 64M"));
        return disk;
    }
    void start(bool paused) {
        host->definitions().define(spec);
        host->power().start(spec.vm, paused);
    }
    LiveDisk live(const VolumeId& volume) {
        const auto disks = host->disks().look(spec.vm);
        if (disks)
            for (const LiveDisk& disk : disks->disks)
                if (disk.volume == volume) return disk;
        ADD_FAILURE() << "no live disk of volume " << volume.str();
        return {};
    }
    std::string virsh(const std::string& arguments) const {
        const std::string output = file("virsh.out");
        EXPECT_EQ(std::system(("virsh -c '" + lab->uri() + "' " + arguments + " > " + output).c_str()), 0) << arguments;
        std::ifstream in(output, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string config() const { return virsh("dumpxml --inactive " + spec.vm.str()); }
    void pull(const DiskSpec& disk, const std::string& base, Bytes bandwidth = 0) {
        host->disks().pull(
            spec.vm, disk.volume, base, {bandwidth}, [this](int percent) { percents.push_back(percent); }, cancel);
    }
    nlohmann::json qemu(const nlohmann::json& command) const {
        const auto answer =
            nlohmann::json::parse(virsh("qemu-monitor-command " + spec.vm.str() + " '" + command.dump() + "'"));
        EXPECT_TRUE(answer.contains("return")) << command << answer;
        return answer.value("return", nlohmann::json());
    }
    std::string active_node() const {
        return qemu({{"execute", "query-block"}}).at(0).at("inserted").at("node-name").get<std::string>();
    }
    // What a libvirtd leaves in QEMU that dies while it makes a snapshot.
    void open_stray_layer(const std::string& path) const {
        images.create_overlay(path, spec.disks[0].path, "qcow2", disk_megabytes * MiB);
        qemu({{"execute", "blockdev-add"},
              {"arguments", {{"driver", "file"}, {"filename", path}, {"node-name", "libvirt-77-storage"}}}});
        qemu({{"execute", "blockdev-add"},
              {"arguments",
               {{"driver", "qcow2"},
                {"node-name", "libvirt-77-format"},
                {"file", "libvirt-77-storage"},
                {"backing", nullptr}}}});
    }
    static bool thrown(const std::function<void()>& action) {
        try {
            action();
            return false;
        } catch (const Error&) {
            return true;
        }
    }
    // Until the block job of the disk shows up.
    void wait_for_job(const VolumeId& volume, const std::string& kind) {
        const auto deadline = steady_clock::now() + seconds(20);
        while (live(volume).block_job != kind) ASSERT_LT(steady_clock::now(), deadline);
    }

    SystemClock clock;
    mutable QemuImg images{QemuImgSettings{}};
    Lab* lab = nullptr;
    std::unique_ptr<libvirt::LibvirtHost> host;
    std::string directory;
    VmSpec spec;
    Cancellation cancel;
    std::vector<int> percents;
};

TEST_F(VmDisksOfQemu, ShowsNothingOfAVmThatIsOffAndEverythingOfOneThatRuns) {
    EXPECT_FALSE(host->disks().look(spec.vm)) << "not defined";
    spec.disks = {layered_disk(0), empty_disk(3)};
    spec.disks[1].throttle.total_iops = 100;
    spec.disks[1].throttle.write_bandwidth = 5 * MiB;
    ASSERT_TRUE(shell("truncate -s 1M " + file("a.iso")));
    spec.cdroms[1].iso_path = file("a.iso");
    host->definitions().define(spec);
    EXPECT_FALSE(host->disks().look(spec.vm)) << "off";
    EXPECT_EQ(thrown_code([&] { host->disks().attach(spec.vm, empty_disk(4)); }), Code::vm_wrong_state);
    host->power().start(spec.vm, true);
    const auto seen = host->disks().look(spec.vm);
    ASSERT_TRUE(seen);
    ASSERT_EQ(seen->disks.size(), 2u);
    EXPECT_THAT(seen->disks[0].chain, ElementsAre(file("disk0.top"), file("disk0.mid"), file("disk0.base")));
    EXPECT_EQ(seen->disks[0].target, "vda");
    EXPECT_EQ(seen->disks[0].throttle, DiskThrottle{});
    EXPECT_EQ(seen->disks[1].volume, spec.disks[1].volume);
    EXPECT_EQ(seen->disks[1].target, "vdd") << "named by its device id";
    EXPECT_EQ(seen->disks[1].throttle, spec.disks[1].throttle);
    ASSERT_EQ(seen->cdroms.size(), 2u);
    for (const LiveCdRom& drive : seen->cdroms) EXPECT_EQ(drive.iso_path, drive.device_id == 1 ? file("a.iso") : "");
}

TEST_F(VmDisksOfQemu, PlugsDisksOfEveryBusThatCanBePluggedAndOnce) {
    spec.disks = {empty_disk(0)};
    start(true);
    DiskSpec plugged = empty_disk(2);
    plugged.throttle.read_bandwidth = MiB;
    host->disks().attach(spec.vm, plugged);
    host->disks().attach(spec.vm, plugged);
    EXPECT_EQ(live(plugged.volume).target, "vdc");
    EXPECT_EQ(live(plugged.volume).throttle, plugged.throttle);
    EXPECT_THAT(config(), HasSubstr(plugged.volume.str()));
    DiskSpec scsi = empty_disk(1);
    scsi.bus = DiskBus::scsi;
    scsi.shareable = true;
    scsi.format = "raw";
    ASSERT_TRUE(shell("qemu-img create -q -f raw " + scsi.path + " 64M"));
    host->disks().attach(spec.vm, scsi);
    EXPECT_EQ(live(scsi.volume).target, "sdb");
    EXPECT_THAT(config(), HasSubstr("virtio-scsi"));
    EXPECT_EQ(host->disks().look(spec.vm)->disks.size(), 3u);
    DiskSpec missing = empty_disk(5);
    missing.path = file("no such file");
    EXPECT_THROW(host->disks().attach(spec.vm, missing), Error);
    EXPECT_THAT(config(), ::testing::Not(HasSubstr(missing.volume.str())));
}

TEST_F(VmDisksOfQemu, KeepsADiskThatTheGuestDoesNotLetGoOf) {
    spec.disks = {empty_disk(0), empty_disk(1)};
    start(true);
    const DiskSpec& disk = spec.disks[1];
    const auto begin = steady_clock::now();
    const Error error = thrown_error([&] { host->disks().detach(spec.vm, disk.volume, milliseconds(1200), cancel); });
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr("has not let go"));
    EXPECT_LT(steady_clock::now() - begin, seconds(5));
    EXPECT_EQ(live(disk.volume).target, "vdb");
    EXPECT_THAT(config(), HasSubstr(disk.volume.str()));
    std::thread canceller([&] {
        std::this_thread::sleep_for(milliseconds(200));
        cancel.request();
    });
    EXPECT_EQ(thrown_code([&] { host->disks().detach(spec.vm, disk.volume, seconds(60), cancel); }), Code::job_cancelled);
    EXPECT_LT(steady_clock::now() - begin, seconds(8));
    canceller.join();
    Cancellation unwanted;
    host->disks().detach(spec.vm, VolumeId::make(), seconds(1), unwanted);
}

TEST_F(VmDisksOfQemu, ChangesTheMediumOfADriveWhateverTheGuestDoes) {
    ASSERT_TRUE(shell("truncate -s 1M " + file("a.iso") + " " + file("b.iso")));
    start(true);
    const auto medium = [&](int id) {
        const auto seen = host->disks().look(spec.vm);
        for (const LiveCdRom& drive : seen.value().cdroms)
            if (drive.device_id == id) return drive.iso_path;
        return std::string("no such drive");
    };
    for (const std::string& iso : {file("a.iso"), file("b.iso"), std::string(), std::string(), file("b.iso")}) {
        host->disks().change_medium(spec.vm, {CdRomId(), 1, iso}, false);
        EXPECT_EQ(medium(1), iso);
        EXPECT_EQ(medium(0), "");
        EXPECT_EQ(config().find(".iso") != std::string::npos, !iso.empty());
    }
    host->disks().change_medium(spec.vm, {CdRomId(), 1, ""}, true);
    EXPECT_EQ(medium(1), "");
    EXPECT_EQ(thrown_code([&] { host->disks().change_medium(spec.vm, {CdRomId(), 3, ""}, false); }), Code::not_found);
}

TEST_F(VmDisksOfQemu, GrowsDisksAndLimitsThem) {
    spec.disks = {layered_disk(0)};
    start(true);
    const VolumeId volume = spec.disks[0].volume;
    host->disks().resize(spec.vm, volume, 64 * MiB);
    host->disks().resize(spec.vm, volume, 96 * MiB);
    EXPECT_EQ(images.inspect(file("disk0.top"), "qcow2").virtual_size, 96 * MiB);
    EXPECT_EQ(thrown_code([&] { host->disks().resize(spec.vm, volume, 95 * MiB); }), Code::invalid_argument);
    EXPECT_EQ(thrown_code([&] { host->disks().resize(spec.vm, VolumeId::make(), GiB); }), Code::not_found);
    DiskThrottle limits;
    limits.read_bandwidth = MiB;
    limits.total_iops = 50;
    host->disks().set_throttle(spec.vm, volume, limits);
    EXPECT_EQ(live(volume).throttle, limits);
    EXPECT_THAT(config(), HasSubstr("<read_bytes_sec>1048576"));
    host->disks().set_throttle(spec.vm, volume, {});
    EXPECT_EQ(live(volume).throttle, DiskThrottle{});
    EXPECT_THAT(config(), ::testing::Not(HasSubstr("bytes_sec>1")));
}

TEST_F(VmDisksOfQemu, FreezesTheLayersOfAllDisksOrOfNone) {
    spec.disks = {layered_disk(0), empty_disk(1), empty_disk(2)};
    start(false);
    const std::vector<NewLayer> layers{{spec.disks[0].volume, file("new0")}, {spec.disks[1].volume, file("new1")}};
    EXPECT_FALSE(host->disks().freeze_layers(spec.vm, layers)) << "no guest agent";
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), file("new0"));
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 4u);
    EXPECT_THAT(live(spec.disks[1].volume).chain, ElementsAre(file("new1"), spec.disks[1].path));
    EXPECT_THAT(live(spec.disks[2].volume).chain, ElementsAre(spec.disks[2].path));
    EXPECT_THAT(config(), HasSubstr(file("new0")));
    EXPECT_THAT(config(), HasSubstr(file("new1")));
    EXPECT_EQ(images.chain(file("new0")).size(), 4u);
    EXPECT_EQ(std::filesystem::status(file("new0")).permissions() & std::filesystem::perms::others_read,
              std::filesystem::perms::others_read);

    EXPECT_FALSE(host->disks().freeze_layers(spec.vm, layers)) << "they are there already";
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 4u);

    ASSERT_TRUE(shell("echo data > " + file("newer1")));
    EXPECT_THROW(host->disks().freeze_layers(
                     spec.vm, {{spec.disks[0].volume, file("newer0")}, {spec.disks[1].volume, file("newer1")}}),
                 Error);
    EXPECT_FALSE(std::filesystem::exists(file("newer0")));
    EXPECT_TRUE(std::filesystem::exists(file("newer1"))) << "not ours to remove";
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), file("new0"));
    EXPECT_EQ(live(spec.disks[1].volume).chain.front(), file("new1"));

    // Of an earlier life, never used.
    images.create_overlay(file("newer0"), file("new0"), "qcow2", 64 * MiB);
    host->disks().freeze_layers(spec.vm, {{spec.disks[0].volume, file("newer0")}});
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), file("newer0"));
}

TEST_F(VmDisksOfQemu, FreezesALayerThoughQemuOpenedItsFileForALibvirtdThatDied) {
    spec.disks = {layered_disk(0)};
    start(false);
    open_stray_layer(file("new0"));
    host->disks().freeze_layers(spec.vm, {{spec.disks[0].volume, file("new0")}});
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), file("new0"));
    for (const auto& node : qemu({{"execute", "query-named-block-nodes"}}))
        EXPECT_THAT(node.at("node-name").get<std::string>(), ::testing::Not(HasSubstr("libvirt-77")));
}

TEST_F(VmDisksOfQemu, KeepsALayerThatAGuestWritesToThoughLibvirtDoesNotKnowOfIt) {
    spec.disks = {layered_disk(0)};
    start(false);
    open_stray_layer(file("new0"));
    qemu({{"execute", "blockdev-snapshot"}, {"arguments", {{"node", active_node()}, {"overlay", "libvirt-77-format"}}}});
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), spec.disks[0].path) << "libvirt has not seen it";
    const std::string device = qemu({{"execute", "query-block"}}).at(0).at("qdev").get<std::string>();
    virsh("qemu-monitor-command --hmp " + spec.vm.str() + " 'qemu-io -d " + device + " \"write -P 0x5a 40M 1M\"'");
    try {
        host->disks().freeze_layers(spec.vm, {{spec.disks[0].volume, file("new0")}});
        ADD_FAILURE() << "libvirt cannot freeze what it does not see";
    } catch (const Error& error) {
        EXPECT_THAT(error.details(), HasSubstr("the guest writes to " + file("new0")));
    }
    EXPECT_EQ(active_node(), "libvirt-77-format");
    host->power().destroy(spec.vm);
    EXPECT_EQ(images.chain(file("new0")).size(), 4u);
    EXPECT_TRUE(shell("qemu-io -f qcow2 -r -c 'read -P 0x5a 40M 1M' " + file("new0")));
}

TEST_F(VmDisksOfQemu, LetsGoOfWhatOutlastedItsMomentAndOfNothingElse) {
    spec.disks = {empty_disk(0)};
    host->disks().let_go(VmId::make());
    start(true);
    host->disks().let_go(spec.vm);
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::paused) << "by somebody else";
    virsh("metadata --live " + spec.vm.str() + " https://hvagent.org/xmlns/hold/1 --key hold --set '<moment/>'");
    host->disks().let_go(spec.vm);
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::running);
    virsh("metadata --live " + spec.vm.str() + " https://hvagent.org/xmlns/quiet/1 --key quiet --set '<moment/>'");
    EXPECT_TRUE(thrown([&] { host->disks().let_go(spec.vm); })) << "there is no agent to confirm a thaw";
    host->power().destroy(spec.vm);
    host->disks().let_go(spec.vm);
}

TEST_F(VmDisksOfQemu, PullsLayersUpToABaseAndThenAll) {
    spec.disks = {layered_disk(0), empty_disk(1)};
    const std::string top = file("disk0.top");
    flat_copy(top, file("expected"));
    start(false);
    pull(spec.disks[0], file("disk0.base"));
    EXPECT_EQ(percents.back(), 100);
    EXPECT_THAT(live(spec.disks[0].volume).chain, ElementsAre(top, file("disk0.base")));
    EXPECT_EQ(images.chain(top).size(), 2u) << "as the file says";
    pull(spec.disks[0], file("disk0.base"));
    EXPECT_EQ(thrown_code([&] { pull(spec.disks[0], file("disk0.mid")); }), Code::invalid_argument);
    pull(spec.disks[0], "");
    EXPECT_THAT(live(spec.disks[0].volume).chain, ElementsAre(top));
    EXPECT_EQ(live(spec.disks[0].volume).block_job, "");
    pull(spec.disks[0], "");
    host->power().destroy(spec.vm);
    EXPECT_TRUE(are_alike(top, file("expected")));
    EXPECT_TRUE(is_sound(top));
}

TEST_F(VmDisksOfQemu, LeavesTheLayersWhenAPullIsCancelledAndTakesItUpAgain) {
    spec.disks = {layered_disk(0)};
    const std::string top = file("disk0.top");
    flat_copy(top, file("expected"));
    start(false);
    auto slow = std::async(std::launch::async, [&] { pull(spec.disks[0], "", MiB); });
    wait_for_job(spec.disks[0].volume, "pull");
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 3u);
    const auto begin = steady_clock::now();
    cancel.request();
    EXPECT_EQ(thrown_code([&] { slow.get(); }), Code::job_cancelled);
    EXPECT_LT(steady_clock::now() - begin, seconds(3));
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 3u);
    EXPECT_EQ(live(spec.disks[0].volume).block_job, "");

    // A daemon that died has left its job; the next one takes over.
    ASSERT_TRUE(shell("virsh -c '" + lab->uri() + "' blockpull --bandwidth 1 " + spec.vm.str() + " vda"));
    wait_for_job(spec.disks[0].volume, "pull");
    Cancellation unwanted;
    host->disks().pull(spec.vm, spec.disks[0].volume, file("disk0.base"), {}, {}, unwanted);
    EXPECT_THAT(live(spec.disks[0].volume).chain, ElementsAre(top, file("disk0.base")));
    ASSERT_TRUE(shell("virsh -c '" + lab->uri() + "' blockpull --bandwidth 1 " + spec.vm.str() + " vda"));
    wait_for_job(spec.disks[0].volume, "pull");
    host->disks().abort_block_job(spec.vm, spec.disks[0].volume);
    host->disks().abort_block_job(spec.vm, spec.disks[0].volume);
    EXPECT_EQ(live(spec.disks[0].volume).block_job, "");
    host->power().destroy(spec.vm);
    EXPECT_TRUE(are_alike(top, file("expected")));
}

TEST_F(VmDisksOfQemu, KeepsAWholeChainWhenQemuDiesInTheMiddleOfAPull) {
    spec.disks = {layered_disk(0)};
    const std::string top = file("disk0.top");
    flat_copy(top, file("expected"));
    start(false);
    auto slow = std::async(std::launch::async, [&] { pull(spec.disks[0], "", 4 * MiB); });
    wait_for_job(spec.disks[0].volume, "pull");
    Lab::signal_qemu(spec.vm, SIGKILL);
    const Error error = thrown_error([&] { slow.get(); });
    EXPECT_TRUE(error.code() == Code::vm_wrong_state || error.code() == Code::operation_failed) << error.details();
    EXPECT_EQ(images.chain(top).size(), 3u);
    EXPECT_TRUE(are_alike(top, file("expected")));
    EXPECT_FALSE(host->disks().look(spec.vm));
    images.rebase(top, "", "", {}, cancel);
    EXPECT_TRUE(are_alike(top, file("expected")));
}

TEST_F(VmDisksOfQemu, FinishesAPullAcrossARestartOfLibvirt) {
    spec.disks = {layered_disk(0)};
    const std::string top = file("disk0.top");
    flat_copy(top, file("expected"));
    start(false);
    auto slow = std::async(std::launch::async, [&] { pull(spec.disks[0], "", 10 * MiB); });
    wait_for_job(spec.disks[0].volume, "pull");
    lab->kill_libvirtd();
    EXPECT_NO_THROW(slow.get());
    EXPECT_THAT(live(spec.disks[0].volume).chain, ElementsAre(top));
    host->power().destroy(spec.vm);
    EXPECT_TRUE(are_alike(top, file("expected")));
}

TEST_F(VmDisksOfQemu, CopiesDisksWhileTheVmGoesOn) {
    spec.disks = {layered_disk(0), empty_disk(1)};
    for (const char* name : {"copy0", "copy1"}) ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + file(name) + " 64M"));
    flat_copy(file("disk0.top"), file("expected"));
    start(false);
    const std::vector<DiskCopy> copies{{spec.disks[0].volume, file("copy0")}, {spec.disks[1].volume, file("copy1")}};
    EXPECT_FALSE(host->disks().copy(
        spec.vm, copies, {}, [this](int percent) { percents.push_back(percent); }, cancel));
    EXPECT_EQ(percents.back(), 100);
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 3u);
    EXPECT_EQ(live(spec.disks[0].volume).block_job, "");
    EXPECT_EQ(images.chain(file("copy0")).size(), 1u);
    EXPECT_TRUE(are_alike(file("copy0"), file("expected")));
    EXPECT_TRUE(are_alike(file("copy1"), spec.disks[1].path));
    EXPECT_TRUE(is_sound(file("copy0")));
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::running);

    host->power().suspend(spec.vm);
    host->disks().copy(spec.vm, copies, {}, {}, cancel);
    EXPECT_TRUE(are_alike(file("copy0"), file("expected")));
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::paused);
}

TEST_F(VmDisksOfQemu, LetsAVmGoThatAnEarlierLifeHeldForACopy) {
    spec.disks = {layered_disk(0)};
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + file("copy0") + " 64M"));
    start(false);
    const std::string virsh = "virsh -c '" + lab->uri() + "' ";
    ASSERT_TRUE(shell(virsh + "metadata --live " + spec.vm.str() +
                      " https://hvagent.org/xmlns/hold/1 --key hold --set '<moment/>'"));
    ASSERT_TRUE(shell(virsh + "suspend " + spec.vm.str()));
    host->disks().copy(spec.vm, {{spec.disks[0].volume, file("copy0")}}, {}, {}, cancel);
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::running);
    EXPECT_FALSE(shell(virsh + "metadata --live " + spec.vm.str() + " https://hvagent.org/xmlns/hold/1"));
}

TEST_F(VmDisksOfQemu, LeavesNoCopyRunningAfterACancel) {
    spec.disks = {layered_disk(0), empty_disk(1)};
    for (const char* name : {"copy0", "copy1"}) ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + file(name) + " 64M"));
    start(false);
    const std::vector<DiskCopy> copies{{spec.disks[0].volume, file("copy0")}, {spec.disks[1].volume, file("copy1")}};
    auto slow = std::async(std::launch::async, [&] { host->disks().copy(spec.vm, copies, {MiB}, {}, cancel); });
    wait_for_job(spec.disks[0].volume, "copy");
    cancel.request();
    EXPECT_EQ(thrown_code([&] { slow.get(); }), Code::job_cancelled);
    for (const DiskSpec& disk : spec.disks) EXPECT_EQ(live(disk.volume).block_job, "");
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::running);
    // Twice the same target: the second job cannot open it.
    Cancellation unwanted;
    EXPECT_THROW(host->disks().copy(spec.vm, {copies[0], {spec.disks[1].volume, file("no/such/file")}}, {}, {}, unwanted),
                 Error);
    for (const DiskSpec& disk : spec.disks) EXPECT_EQ(live(disk.volume).block_job, "");
}

TEST_F(VmDisksOfQemu, LetsNoCallerWaitForAFrozenQemu) {
    spec.disks = {layered_disk(0)};
    const VolumeId volume = spec.disks[0].volume;
    start(false);
    libvirt::LibvirtSettings settings;
    settings.uri = lab->uri();
    settings.call_timeout = seconds(2);
    settings.query_timeout = seconds(2);
    libvirt::LibvirtHost impatient(settings, clock, images);
    auto slow = std::async(std::launch::async, [&] { impatient.disks().pull(spec.vm, volume, "", {MiB}, {}, cancel); });
    wait_for_job(volume, "pull");
    Lab::signal_qemu(spec.vm, SIGSTOP);
    const auto begin = steady_clock::now();
    EXPECT_EQ(thrown_code([&] { impatient.disks().resize(spec.vm, volume, GiB); }), Code::timeout);
    EXPECT_LT(steady_clock::now() - begin, seconds(4));
    cancel.request();
    EXPECT_EQ(thrown_code([&] { slow.get(); }), Code::job_cancelled);
    EXPECT_LT(steady_clock::now() - begin, seconds(8));
    Lab::signal_qemu(spec.vm, SIGCONT);
    const auto deadline = steady_clock::now() + seconds(20);
    while (thrown([&] { impatient.disks().abort_block_job(spec.vm, volume); })) ASSERT_LT(steady_clock::now(), deadline);
    EXPECT_EQ(live(volume).chain.size(), 3u);
}

}  // namespace
}  // namespace hvagent::testing
