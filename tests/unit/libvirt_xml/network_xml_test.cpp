#include "drivers/libvirt/network_xml.h"

#include <gtest/gtest.h>

#include "drivers/libvirt/dhcp_leases.h"
#include "drivers/libvirt/domain_xml/live_definition.h"
#include "hvagent/units.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::libvirt {
namespace {

const NatNetworkSpec nat{"hvagent", "hvabr0", "192.168.221.1", "255.255.255.0", "vm.local", {"192.0.2.53"}};

TEST(NetworkXml, GivesAddressesToKnownMachinesOnly) {
    EXPECT_EQ(network_xml(nat),
              "<network>\n"
              "  <name>hvagent</name>\n"
              "  <forward mode=\"nat\" />\n"
              "  <bridge name=\"hvabr0\" stp=\"off\" delay=\"0\" />\n"
              "  <domain name=\"vm.local\" localOnly=\"yes\" />\n"
              "  <dns>\n"
              "    <forwarder addr=\"192.0.2.53\" />\n"
              "  </dns>\n"
              "  <ip address=\"192.168.221.1\" netmask=\"255.255.255.0\">\n"
              "    <dhcp />\n"
              "  </ip>\n"
              "</network>\n");
}

TEST(NetworkXml, RefusesNamesAndAddressesThatAreNone) {
    const auto code_with = [](auto member, const std::string& value) {
        NatNetworkSpec spec = nat;
        spec.*member = value;
        return thrown_error([&] { network_xml(spec); }).code();
    };
    EXPECT_EQ(code_with(&NatNetworkSpec::name, ""), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::name, "a/b"), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::name, "a b"), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::bridge, "sixteen_letters_"), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::gateway, "192.168.221.256"), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::netmask, "/24"), Code::invalid_argument);
    EXPECT_EQ(code_with(&NatNetworkSpec::dns_domain, "a'b"), Code::invalid_argument);
}

TEST(NetworkXml, NamesWhatAnExistingNetworkHasOtherwise) {
    EXPECT_EQ(difference(network_xml(nat), nat), "");
    NatNetworkSpec other = nat;
    other.gateway = "192.168.221.254";
    EXPECT_EQ(difference(network_xml(nat), other), "its address is \"192.168.221.1\", not \"192.168.221.254\"");
    other = nat;
    other.bridge = "virbr0";
    EXPECT_EQ(difference(network_xml(nat), other), "its bridge is \"hvabr0\", not \"virbr0\"");
    EXPECT_EQ(difference("<network><forward mode='route'/></network>", nat), "its forward mode is \"route\", not \"nat\"");
}

TEST(NetworkXml, NoticesOtherDnsSettings) {
    EXPECT_TRUE(has_dns_of(network_xml(nat), nat));
    NatNetworkSpec other = nat;
    other.dns_servers.push_back("192.0.2.54");
    EXPECT_FALSE(has_dns_of(network_xml(nat), other));
    other = nat;
    other.dns_domain = "vm.other";
    EXPECT_FALSE(has_dns_of(network_xml(nat), other));
}

TEST(NetworkXml, ReadsAPrefixAsANetmask) {
    const std::string with_prefix =
        "<network><forward mode='nat'/><bridge name='hvabr0'/><ip address='192.168.221.1' prefix='24'/></network>";
    EXPECT_EQ(difference(with_prefix, nat), "");
}

TEST(NetworkXml, ReadsAndWritesDhcpEntries) {
    const auto hosts = dhcp_hosts(
        "<network><ip address='10.0.0.1'><dhcp><host mac='fa:00:00:00:00:01' name='one' ip='10.0.0.2'/>"
        "<host mac='fa:00:00:00:00:02' ip='10.0.0.3'/></dhcp></ip></network>");
    ASSERT_EQ(hosts.size(), 2u);
    EXPECT_EQ(hosts[0].hostname, "one");
    EXPECT_EQ(hosts[1].ip, "10.0.0.3");
    EXPECT_EQ(dhcp_host_xml(hosts[0]), "<host mac=\"fa:00:00:00:00:01\" ip=\"10.0.0.2\" name=\"one\" />\n");
    EXPECT_EQ(thrown_error([] { dhcp_host_xml({"fa", "10.0.0.2", "a b"}); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([] { dhcp_host_xml({"fa:00:00:00:00:01", "", ""}); }).code(), Code::invalid_argument);
}

TEST(LiveDefinition, KnowsWhetherTheGuestAgentIsThere) {
    const auto with_state = [](const std::string& state) {
        return "<domain><devices><channel><target name='other' state='connected'/></channel><channel>"
               "<target type='virtio' name='org.qemu.guest_agent.0'" +
               state + "/></channel></devices></domain>";
    };
    EXPECT_TRUE(guest_agent_connected(with_state(" state='connected'")));
    EXPECT_FALSE(guest_agent_connected(with_state(" state='disconnected'")));
    EXPECT_FALSE(guest_agent_connected(with_state("")));
    EXPECT_FALSE(guest_agent_connected("<domain><devices/></domain>"));
}

TEST(LiveDefinition, CountsMemoryAndSlots) {
    const LiveMemory fixed = live_memory("<domain><memory unit='KiB'>262144</memory></domain>");
    EXPECT_EQ(fixed.size, 256 * MiB);
    EXPECT_EQ(fixed.most, 0);
    const LiveMemory room = live_memory(
        "<domain><maxMemory slots='16' unit='KiB'>1048576</maxMemory><memory unit='KiB'>393216</memory>"
        "<devices><memory model='dimm'/></devices></domain>");
    EXPECT_EQ(room.size, 384 * MiB);
    EXPECT_EQ(room.most, 1 * GiB);
    EXPECT_EQ(room.free_slots, 15);
}

TEST(DhcpRelease, IsThePacketOfTheRfc) {
    const auto packet =
        dhcp_release_packet("fa:ce:00:12:34:56", 0x0909a8c0, 0x0101a8c0);  // 192.168.9.9, .1.1 on little endian
    const auto at = [&packet](std::size_t from, std::size_t count) {
        return std::vector<int>(packet.begin() + static_cast<std::ptrdiff_t>(from),
                                packet.begin() + static_cast<std::ptrdiff_t>(from + count));
    };
    EXPECT_EQ(at(0, 3), (std::vector<int>{1, 1, 6}));
    EXPECT_EQ(at(12, 4), (std::vector<int>{192, 168, 9, 9}));                      // ciaddr
    EXPECT_EQ(at(28, 6), (std::vector<int>{0xfa, 0xce, 0x00, 0x12, 0x34, 0x56}));  // chaddr
    EXPECT_EQ(at(236, 7), (std::vector<int>{99, 130, 83, 99, 53, 1, 7}));          // cookie, DHCPRELEASE
    EXPECT_EQ(at(243, 7), (std::vector<int>{54, 4, 192, 168, 1, 1, 255}));         // server, end
}

}  // namespace
}  // namespace hvagent::libvirt
