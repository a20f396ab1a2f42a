// What every HostInspector and VirtualNetworks does.
#include <algorithm>

#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

class HostInspectorContract : public HostTest {};
INSTANTIATE_TEST_SUITE_P(Hosts, HostInspectorContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(HostInspectorContract, KnowsTheHost) {
    const HostFacts facts = host->inspector().facts();
    EXPECT_GT(facts.cpus, 0);
    EXPECT_GT(facts.sockets, 0);
    EXPECT_LE(facts.sockets, facts.cpus);
    EXPECT_GE(facts.memory, 1 * GiB);
    EXPECT_FALSE(facts.architecture.empty());
    EXPECT_EQ(std::count(facts.libvirt_version.begin(), facts.libvirt_version.end(), '.'), 2) << facts.libvirt_version;
    EXPECT_EQ(std::count(facts.qemu_version.begin(), facts.qemu_version.end(), '.'), 2) << facts.qemu_version;
    EXPECT_FALSE(facts.os_distribution.empty());
    EXPECT_FALSE(facts.virt_type.empty());
    EXPECT_GT(host->inspector().free_memory(), 1 * MiB);
}

class VirtualNetworksContract : public HostTest {
protected:
    void TearDown() override {
        if (host) host->networks().remove_network(spec.name);
        HostTest::TearDown();
    }
    std::vector<DhcpHost> hosts() { return host->networks().list_dhcp_hosts(spec.name); }

    NatNetworkSpec spec{"hvtest", "hvtest0", "192.168.214.1", "255.255.255.0", "vm.test", {"192.0.2.53"}};
};
INSTANTIATE_TEST_SUITE_P(Hosts, VirtualNetworksContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(VirtualNetworksContract, MakesANetworkOnceAndRemovesIt) {
    EXPECT_FALSE(host->networks().network_is_active(spec.name));
    host->networks().ensure_nat_network(spec);
    host->networks().ensure_nat_network(spec);
    EXPECT_TRUE(host->networks().network_is_active(spec.name));
    EXPECT_TRUE(hosts().empty());
    host->networks().remove_network(spec.name);
    host->networks().remove_network(spec.name);
    EXPECT_FALSE(host->networks().network_is_active(spec.name));
}

TEST_P(VirtualNetworksContract, RefusesANetworkThatIsAnotherOne) {
    host->networks().ensure_nat_network(spec);
    NatNetworkSpec other = spec;
    other.gateway = "192.168.215.1";
    EXPECT_EQ(thrown_code([&] { host->networks().ensure_nat_network(other); }), Code::operation_failed);
    host->networks().ensure_nat_network(spec);
}

TEST_P(VirtualNetworksContract, GivesEachMacOneAddressAndEachAddressToOneMac) {
    host->networks().ensure_nat_network(spec);
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:01", "192.168.214.11", "one"});
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:02", "192.168.214.12", ""});
    ASSERT_EQ(hosts().size(), 2u);
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:01", "192.168.214.13", "one"});  // another address
    ASSERT_EQ(hosts().size(), 2u);
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:03", "192.168.214.13", "one"});  // another machine
    ASSERT_EQ(hosts().size(), 2u);
    for (const DhcpHost& entry : hosts()) {
        EXPECT_NE(entry.mac, "fa:00:00:00:00:01");
        if (entry.mac == "fa:00:00:00:00:03") {
            EXPECT_EQ(entry.ip, "192.168.214.13");
            EXPECT_EQ(entry.hostname, "one");
        }
    }
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:03", "192.168.214.12", "one"});  // both at once
    ASSERT_EQ(hosts().size(), 1u);
    EXPECT_EQ(hosts()[0].ip, "192.168.214.12");
}

TEST_P(VirtualNetworksContract, RemovesAnAddress) {
    host->networks().ensure_nat_network(spec);
    host->networks().put_dhcp_host(spec.name, {"fa:00:00:00:00:01", "192.168.214.11", "one"});
    host->networks().remove_dhcp_host(spec.name, "fa:00:00:00:00:01");
    host->networks().remove_dhcp_host(spec.name, "fa:00:00:00:00:01");
    EXPECT_TRUE(hosts().empty());
    EXPECT_TRUE(host->networks().network_is_active(spec.name));
}

TEST_P(VirtualNetworksContract, SaysNotFoundOfANetworkThatIsNotThere) {
    EXPECT_EQ(thrown_code([&] {
                  host->networks().put_dhcp_host("nowhere", {"fa:00:00:00:00:01", "192.168.214.11", ""});
              }),
              Code::not_found);
    EXPECT_EQ(thrown_code([&] { host->networks().list_dhcp_hosts("nowhere"); }), Code::not_found);
    host->networks().remove_dhcp_host("nowhere", "fa:00:00:00:00:01");
    EXPECT_FALSE(host->networks().bridge_exists("nowhere"));
}

}  // namespace
}  // namespace hvagent::testing
