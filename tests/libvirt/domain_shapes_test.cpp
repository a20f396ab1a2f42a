// The XML of typical VMs is accepted by libvirt's schema, and QEMU starts with it.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "drivers/libvirt/kvm_probe.h"
#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/host_under_test.h"
#include "tests/libvirt/lab.h"
#include "tests/unit/libvirt_xml/specs.h"

namespace hvagent::testing {
namespace {

// What the specs' paths and networks are replaced by.
constexpr const char* network = "hvshapes";

class DomainShapes : public ::testing::TestWithParam<NamedSpec> {
protected:
    void SetUp() override {
        lab = Lab::get();
        if (!lab) GTEST_SKIP() << Lab::why();
        directory = lab->directory() + "/shapes";
        std::filesystem::create_directories(directory);
    }
    void TearDown() override {
        if (!host) return;
        if (!vm.empty()) {
            host->power().destroy(vm);
            host->definitions().undefine(vm);
        }
        host->networks().remove_network(network);
    }
    VmSpec at_home(VmSpec spec) {
        for (DiskSpec& each : spec.disks) {
            each.path = directory + "/" + std::filesystem::path(each.path).filename().string();
            const std::string command = "qemu-img create -q -f " + each.format + " " + each.path + " 64M";
            EXPECT_EQ(std::system(command.c_str()), 0);
        }
        for (CdRomSpec& each : spec.cdroms) {
            if (each.iso_path.empty()) continue;
            each.iso_path = directory + "/boot.iso";
            EXPECT_EQ(std::system(("truncate -s 1M " + each.iso_path).c_str()), 0);
        }
        for (NicSpec& each : spec.nics) each.network = network;
        if (!spec.serial_log.empty()) spec.serial_log = directory + "/serial.log";
        return spec;
    }
    void make_host(const std::string& virt_type, bool hotplug = false) {
        libvirt::LibvirtSettings settings;
        settings.uri = lab->uri();
        settings.virt_type = virt_type;
        settings.hotplug = hotplug;
        host = std::make_unique<libvirt::LibvirtHost>(settings, clock, images);
        host->networks().ensure_nat_network({network, "hvshapes0", "192.168.214.1", "255.255.255.0", "", {}});
    }
    void define_and_start(const VmSpec& spec) {
        vm = spec.vm;
        host->definitions().define(spec);
        host->power().start(vm, true);
        EXPECT_EQ(host->observer().look(vm)->state, VmState::paused);
    }

    SystemClock clock;
    QemuImg images{QemuImgSettings{}};
    Lab* lab = nullptr;
    std::string directory;
    std::unique_ptr<libvirt::LibvirtHost> host;
    VmId vm;
};
INSTANTIATE_TEST_SUITE_P(Specs, DomainShapes, ::testing::ValuesIn(typical_specs("/vols", network)),
                         [](const auto& named) { return named.param.name; });

TEST_P(DomainShapes, AreAcceptedAndStarted) {
    const bool kvm = GetParam().host.virt_type == "kvm";
    if (const libvirt::KvmTrial trial = libvirt::try_kvm(); kvm && !trial.works) GTEST_SKIP() << trial.why_not;
    make_host(GetParam().host.virt_type, GetParam().host.hotplug);
    define_and_start(at_home(GetParam().spec));
}

class OneShape : public DomainShapes {};
INSTANTIATE_TEST_SUITE_P(Specs, OneShape, ::testing::Values(typical_specs("/vols", network)[1]));

TEST_P(OneShape, SpiceIsRefusedOrStarts) {
    make_host("qemu");
    VmSpec spec = at_home(GetParam().spec);
    spec.console = ConsoleMode::vnc_and_spice;
    spec.usb_redirect = true;
    try {
        define_and_start(spec);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::no_capability) << error.details();
        EXPECT_NE(error.details().find("SPICE"), std::string::npos) << error.details();
    }
}

TEST_P(OneShape, AMachineThatQemuHasNotIsAnInvalidArgument) {
    make_host("qemu");
    VmSpec spec = GetParam().spec;
    spec.machine = "pdp11";
    EXPECT_EQ(thrown_code([&] { host->definitions().define(spec); }), Code::invalid_argument);
}

// Kernels before 6.6 have no O_DIRECT there, and QEMU would not start with cache='none'.
TEST_P(OneShape, StartsFromATmpfs) {
    make_host("qemu");
    VmSpec spec = GetParam().spec;
    spec.disks = {disk(0, DiskBus::virtio, "/dev/shm")};
    spec.disks[0].path = "/dev/shm/hvagent-shape-" + std::to_string(getpid()) + ".qcow2";
    ASSERT_EQ(std::system(("qemu-img create -q -f qcow2 " + spec.disks[0].path + " 1M").c_str()), 0);
    define_and_start(spec);
    host->power().destroy(vm);
    std::filesystem::remove(spec.disks[0].path);
}

TEST_P(OneShape, GrowsWhereRoomWasMade) {
    make_host("qemu", true);
    VmSpec spec = GetParam().spec;
    spec.memory = 128 * MiB;
    vm = spec.vm;
    host->definitions().define(spec);
    host->power().start(vm, false);
    host->power().set_live_memory(vm, 256 * MiB);
    host->power().set_live_memory(vm, 256 * MiB);
    EXPECT_EQ(thrown_code([&] { host->power().set_live_memory(vm, 128 * MiB); }), Code::no_capability);
    EXPECT_EQ(thrown_code([&] { host->power().set_live_memory(vm, 4 * GiB); }), Code::no_capability);
    if (host->inspector().facts().cpus < 2) return;
    host->power().set_live_cpus(vm, 2);
    EXPECT_EQ(thrown_code([&] { host->power().set_live_cpus(vm, 1); }), Code::no_capability);
}

}  // namespace
}  // namespace hvagent::testing
