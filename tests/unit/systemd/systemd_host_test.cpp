#include "drivers/systemd/systemd_host.h"

#include <gtest/gtest.h>

#include "tests/unit/systemd/mock_bus.h"

namespace hvagent::systemd {
namespace {

struct Heard final : HostServicesListener {
    void on_shutdown() override { ++shutdowns; }
    void on_shutdown_called_off() override { ++called_off; }
    std::atomic<int> shutdowns{0}, called_off{0};
};

class Systemd : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("command -v dbus-daemon >/dev/null") != 0) GTEST_SKIP() << "dbus-daemon is not installed";
        bus = std::make_unique<PrivateBus>();
        services = std::make_unique<MockServices>(*bus);
        host = std::make_unique<SystemdHost>(SystemdSettings{bus->address(), {"libvirtd.service", "virtqemud.service"}});
    }
    template <class Holds>
    static bool await(Holds holds) {
        for (int i = 0; i < 3000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(10));
        return holds();
    }
    void start_held() {
        host->hold_shutdown("guests run");
        host->start(heard);
        ASSERT_TRUE(await([&] { return services->is_held(); }));
    }

    std::unique_ptr<PrivateBus> bus;
    std::unique_ptr<MockServices> services;
    Heard heard;
    std::unique_ptr<SystemdHost> host;  // ends before those it talks to
};

TEST_F(Systemd, AShutdownWaitsFromTheHoldToItsEnd) {
    start_held();
    EXPECT_EQ(host->longest_hold(), seconds(120));
    EXPECT_EQ(host->goes_down(), false);
    services->prepare_for_shutdown(true);
    ASSERT_TRUE(await([&] { return heard.shutdowns == 1; }));
    EXPECT_EQ(host->goes_down(), true);
    EXPECT_TRUE(services->is_held());
    host->let_shutdown_go();
    EXPECT_TRUE(await([&] { return !services->is_held(); }));
    services->prepare_for_shutdown(false);
    EXPECT_TRUE(await([&] { return heard.called_off == 1; }));
}

TEST_F(Systemd, AShutdownThatBeganBeforeUsIsToldAtOnce) {
    services->preparing = true;
    host->start(heard);
    EXPECT_TRUE(await([&] { return heard.shutdowns == 1; }));
}

TEST_F(Systemd, AHoldEndsWithTheHost) {
    start_held();
    host.reset();
    EXPECT_TRUE(await([&] { return !services->is_held(); }));
}

TEST_F(Systemd, TroubleOfLibvirtIsNamedWhileNoUnitOfItRuns) {
    services->set_unit("libvirtd.service", "active");
    start_held();
    EXPECT_EQ(host->libvirt_trouble(), "");
    services->set_unit("libvirtd.service", "failed", "exit-code");
    EXPECT_TRUE(await([&] { return host->libvirt_trouble() == "libvirtd.service is failed (exit-code)"; }));
    services->set_unit("virtqemud.service", "active");
    EXPECT_TRUE(await([&] { return host->libvirt_trouble().empty(); }));
}

TEST_F(Systemd, AMachineIsFoundByItsVm) {
    const VmId vm = VmId::make();
    services->machine = "qemu-7-" + vm.str();
    start_held();
    EXPECT_EQ(host->machine_name(vm), "qemu-7-" + vm.str());
    EXPECT_EQ(host->machine_name(VmId::make()), "");
}

TEST_F(Systemd, ABusThatComesBackIsFollowedAgain) {
    start_held();
    services.reset();
    bus->kill();
    EXPECT_TRUE(await([&] { return !host->goes_down(); }));
    EXPECT_EQ(host->machine_name(VmId::make()), "");
    bus->start();
    services = std::make_unique<MockServices>(*bus);
    services->preparing = true;
    EXPECT_TRUE(await([&] { return heard.shutdowns == 1; }));
}

TEST_F(Systemd, WithoutABusNothingIsKnownAndNothingHangs) {
    SystemdHost alone({"unix:path=/nowhere/bus", {"libvirtd.service"}});
    alone.hold_shutdown("guests run");
    alone.start(heard);
    EXPECT_EQ(alone.machine_name(VmId::make()), "");
    EXPECT_FALSE(alone.longest_hold());
    EXPECT_EQ(alone.libvirt_trouble(), "");
    EXPECT_EQ(alone.boot_id().size(), 32u);
}

}  // namespace
}  // namespace hvagent::systemd
