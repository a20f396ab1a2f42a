// A guest that really boots: its agent, its shutdown, its reboot, its address.
#include "tests/libvirt/booted_guest.h"

namespace hvagent::testing {
namespace {

TEST_F(Guest, ShutsDownAtTheButtonRebootsByItselfAndObeysItsAgent) {
    boot();
    EXPECT_TRUE(host->power().has_guest_agent(spec.vm));
    EXPECT_TRUE(prints("192.168.213.21", seconds(30))) << "the address it was given";

    virConnectPtr connection = virConnectOpen(lab->uri().c_str());
    virDomainPtr domain = virDomainLookupByName(connection, spec.vm.str().c_str());
    ASSERT_TRUE(domain);
    seen.forget_events();
    EXPECT_EQ(virDomainReset(domain, 0), 0);
    virDomainFree(domain);
    virConnectClose(connection);
    EXPECT_TRUE(seen.wait_for(spec.vm, VmEventKind::rebooted_by_guest));
    ASSERT_TRUE(seen.wait_for(spec.vm, VmEventKind::guest_agent_connected, boot_time));
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::running);

    host->power().request_shutdown(spec.vm, ShutdownMethod::guest_agent);
    ASSERT_TRUE(seen.wait_for(spec.vm, VmState::stopped, "shutdown", seconds(30)));
    EXPECT_EQ(host->observer().look(spec.vm)->state, VmState::stopped);

    seen.forget_events();
    ASSERT_EQ(std::system((": > " + spec.serial_log).c_str()), 0);
    boot();
    host->power().request_shutdown(spec.vm, ShutdownMethod::acpi);
    EXPECT_TRUE(seen.wait_for(spec.vm, VmState::stopped, "shutdown", seconds(30)));
}

}  // namespace
}  // namespace hvagent::testing
