#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class Networks : public Places {
protected:
    Networks() {
        settings.network_cidr = "192.168.221.0/24";
        start();
        world.networks().add_bridge("br0");
    }
    std::string l2(const std::string& interface = "br0") {
        return create("CreateL2NoVlanNetwork",
                      {{"name", "l2"}, {"zoneUuid", made("zone")}, {"physicalInterface", interface}, {"isolated", false}});
    }
    std::string l3(const std::string& l2_network) {
        return create("CreateL3Network", {{"name", "l3"}, {"l2NetworkUuid", l2_network}});
    }
    std::string bridge_l3() { return l3(l2()); }
    json range(const std::string& network, const std::string& start, const std::string& end,
               const std::string& gateway = "10.0.0.1") {
        return {{"l3NetworkUuid", network},   {"name", "r"},       {"startIp", start}, {"endIp", end},
                {"netmask", "255.255.255.0"}, {"gateway", gateway}};
    }
    std::string take_address(const std::string& network, const std::string& ip) {
        const NicId nic = add_nic(network);
        addresses.allocate(nic, ip);
        return nic.str();
    }
};

TEST_F(Networks, ABridgeNetworkIsMadeFromTheBottomUpAndTakenDown) {
    const std::string below = l2();
    const json attached =
        call("AttachL2NetworkToCluster", {{"l2NetworkUuid", below}, {"clusterUuid", made("cluster")}})["inventory"];
    EXPECT_EQ(attached["attachedClusterUuids"], json::array({made("cluster")}));
    EXPECT_EQ(attached["type"], "L2NoVlanNetwork");
    const std::string network = l3(below);
    const std::string addresses_of = create("AddIpRange", range(network, "10.0.0.10", "10.0.0.20"));
    const json shown = only("QueryL3Network", {"uuid=" + network});
    EXPECT_EQ(shown["ipRanges"][0]["networkCidr"], "10.0.0.0/24");
    EXPECT_EQ(shown["ipRanges"][0]["prefixLen"], 24);
    EXPECT_EQ(failure_of("DeleteL2Network", {{"uuid", below}}).code(), Code::operation_failed);
    EXPECT_EQ(call("DeleteIpRange", {{"uuid", addresses_of}}), json::object());
    EXPECT_EQ(call("DeleteL3Network", {{"uuid", network}}), json::object());
    EXPECT_EQ(call("DeleteL2Network", {{"uuid", below}}), json::object());
    EXPECT_EQ(query("QueryL2Network").size(), 1u);
    EXPECT_TRUE(world.networks().bridge_exists("br0"));
}

TEST_F(Networks, APlainInterfaceIsRefused) {
    for (const char* name : {"eth0", "../../etc", "a name", "averyveryverylongname"})
        EXPECT_NE(
            failure_of("CreateL2NoVlanNetwork", {{"name", "x"}, {"zoneUuid", made("zone")}, {"physicalInterface", name}})
                .code(),
            Code::internal)
            << name;
    EXPECT_EQ(failure_of("CreateL2NoVlanNetwork", {{"name", "x"}, {"zoneUuid", made("zone")}, {"physicalInterface", "eth0"}})
                  .code(),
              Code::no_capability);
    EXPECT_EQ(inventory.count<L2Network>(), 1);
}

TEST_F(Networks, OneBridgeIsAttachedToAClusterOnce) {
    call("AttachL2NetworkToCluster", {{"l2NetworkUuid", l2()}, {"clusterUuid", made("cluster")}});
    EXPECT_EQ(failure_of("AttachL2NetworkToCluster", {{"l2NetworkUuid", l2()}, {"clusterUuid", made("cluster")}}).code(),
              Code::operation_failed);
}

TEST_F(Networks, AttachL2NetworkTakesTheBodyKeyOfTheSdk) {
    const api::Row* row = catalog->find("AttachL2NetworkToCluster");
    EXPECT_EQ(row->body_key, "null");
    EXPECT_EQ(row->body_key_aliases, std::vector<std::string>{"params"});
}

TEST_F(Networks, RangesThatMakeNoSenseAreRefused) {
    const std::string network = bridge_l3();
    for (const auto& [start, end, gateway] :
         {std::tuple{"10.0.0.x", "10.0.0.20", "10.0.0.1"}, std::tuple{"10.0.0.20", "10.0.0.10", "10.0.0.1"},
          std::tuple{"10.0.0.10", "10.0.1.10", "10.0.0.1"}, std::tuple{"10.0.0.0", "10.0.0.10", "10.0.0.11"},
          std::tuple{"10.0.0.10", "10.0.0.255", "10.0.0.1"}, std::tuple{"10.0.0.10", "10.0.0.20", "10.0.0.15"},
          std::tuple{"10.0.0.10", "10.0.0.20", "10.9.0.1"}, std::tuple{"10.0.0.1", "10.0.0.20", ""}})
        EXPECT_EQ(failure_of("AddIpRange", range(network, start, end, gateway)).code(), Code::invalid_argument)
            << start << " " << end << " " << gateway;
    json holes = range(network, "10.0.0.10", "10.0.0.20");
    for (const char* mask : {"255.0.255.0", "255.255.255.255", "0.0.0.0", "24"}) {
        holes["netmask"] = mask;
        EXPECT_EQ(failure_of("AddIpRange", holes).code(), Code::invalid_argument) << mask;
    }
    EXPECT_EQ(inventory.count<IpRange>({{"l3NetworkUuid", network}}), 0);
}

TEST_F(Networks, RangesOfOneBridgeDoNotOverlap) {
    const std::string below = l2();
    const std::string first = l3(below), second = l3(below);
    call("AddIpRange", range(first, "10.0.0.10", "10.0.0.20"));
    EXPECT_EQ(failure_of("AddIpRange", range(first, "10.0.0.20", "10.0.0.30")).code(), Code::invalid_argument);
    EXPECT_EQ(failure_of("AddIpRange", range(second, "10.0.0.5", "10.0.0.10")).code(), Code::invalid_argument);
    call("AddIpRange", range(first, "10.0.0.21", "10.0.0.30"));
    call("AddIpRange", range(second, "10.0.0.31", "10.0.0.40"));
}

TEST_F(Networks, RangesOfOneL3NetworkAreOfOneNetwork) {
    const std::string network = bridge_l3();
    call("AddIpRange", range(network, "10.0.0.10", "10.0.0.20"));
    EXPECT_EQ(failure_of("AddIpRange", range(network, "10.0.1.10", "10.0.1.20", "10.0.1.1")).code(), Code::invalid_argument);
    EXPECT_EQ(failure_of("AddIpRange", range(network, "10.0.0.30", "10.0.0.40", "10.0.0.2")).code(), Code::invalid_argument);
}

TEST_F(Networks, ACidrGivesAllAddressesButTheGateway) {
    const json answer =
        call("AddIpRangeByNetworkCidr", {{"l3NetworkUuid", bridge_l3()}, {"name", "r"}, {"networkCidr", "10.0.0.0/24"}});
    EXPECT_EQ(answer["inventory"]["gateway"], "10.0.0.1");
    EXPECT_EQ(answer["inventory"]["startIp"], "10.0.0.2");
    EXPECT_EQ(answer["inventory"]["endIp"], "10.0.0.254");
    EXPECT_EQ(answer["inventories"], json::array({answer["inventory"]}));
    const json last = call(
        "AddIpRangeByNetworkCidr",
        {{"l3NetworkUuid", l3(l2())}, {"name", "r"}, {"networkCidr", "10.1.0.0/29"}, {"gateway", "10.1.0.6"}})["inventory"];
    EXPECT_EQ(last["startIp"], "10.1.0.1");
    EXPECT_EQ(last["endIp"], "10.1.0.5");
    EXPECT_EQ(
        failure_of("AddIpRangeByNetworkCidr",
                   {{"l3NetworkUuid", l3(l2())}, {"name", "r"}, {"networkCidr", "10.2.0.0/24"}, {"gateway", "10.2.0.9"}})
            .code(),
        Code::invalid_argument);
    EXPECT_EQ(
        failure_of("AddIpRangeByNetworkCidr", {{"l3NetworkUuid", l3(l2())}, {"name", "r"}, {"networkCidr", "10.2.0.0/33"}})
            .code(),
        Code::invalid_argument);
}

TEST_F(Networks, OnlyTheDhcpServiceGivesAddressesToGuests) {
    const std::string without = l3(made("l2-network"));
    NicSpec plug;
    addresses.plug(L3NetworkId(without), plug);
    const auto entries_of = [&](const std::string& network) {
        VmNic nic;
        nic.mac = "fa:00:00:00:00:01";
        nic.ip = "192.168.221.77";
        nic.l3_network = L3NetworkId(network);
        addresses.publish(nic, "web");
        const auto entries = world.networks().list_dhcp_hosts(settings.network_name).size();
        addresses.withdraw(nic);
        return entries;
    };
    EXPECT_EQ(entries_of(without), 0u);
    EXPECT_EQ(entries_of(made("l3-network")), 1u);
    call("AttachNetworkServiceToL3Network",
         {{"l3NetworkUuid", without}, {"networkServices", {{made("network-provider"), {"DHCP"}}}}});
    EXPECT_EQ(entries_of(without), 1u);
}

TEST_F(Networks, TheNatNetworkTakesOnlyItsOwnAddresses) {
    const std::string network = l3(made("l2-network"));
    EXPECT_EQ(
        failure_of("AddIpRangeByNetworkCidr", {{"l3NetworkUuid", network}, {"name", "r"}, {"networkCidr", "10.0.0.0/24"}})
            .code(),
        Code::invalid_argument);
    call("DeleteIpRange", {{"uuid", made("ip-range")}});
    call("AddIpRange", range(network, "192.168.221.50", "192.168.221.60", "192.168.221.1"));
}

TEST_F(Networks, AddressesInUseKeepTheirRangeAndNetwork) {
    take_address(made("l3-network"), "192.168.221.9");
    EXPECT_NE(failure_of("DeleteIpRange", {{"uuid", made("ip-range")}}).details().find("1 address in use"),
              std::string::npos);
    EXPECT_NE(failure_of("DeleteL3Network", {{"uuid", made("l3-network")}}).details().find("1 NIC"), std::string::npos);
}

TEST_F(Networks, FreeAddressesAreThoseThatCanBeGiven) {
    const std::string network = bridge_l3();
    const std::string uuid = create("AddIpRange", range(network, "10.0.0.10", "10.0.0.13"));
    take_address(network, "10.0.0.11");
    const json free = call("GetFreeIp", {{"l3NetworkUuid", network}})["inventories"];
    ASSERT_EQ(free.size(), 3u);
    EXPECT_EQ(free[0],
              (json{{"ipRangeUuid", uuid}, {"ip", "10.0.0.10"}, {"netmask", "255.255.255.0"}, {"gateway", "10.0.0.1"}}));
    EXPECT_EQ(free[1]["ip"], "10.0.0.12");
    EXPECT_EQ(call("GetFreeIp", {{"ipRangeUuid", uuid}, {"start", "10.0.0.11"}, {"limit", "1"}})["inventories"][0]["ip"],
              "10.0.0.12");
    EXPECT_EQ(call("GetFreeIp", {{"l3NetworkUuid", network}, {"ipVersion", 6}})["inventories"].size(), 0u);
    EXPECT_THROW(call("GetFreeIp", json::object()), Error);
    const auto available = [&](const char* ip) {
        return call("CheckIpAvailability", {{"l3NetworkUuid", network}, {"ip", ip}})["available"];
    };
    EXPECT_EQ(available("10.0.0.10"), true);
    EXPECT_EQ(available("10.0.0.11"), false);  // in use
    EXPECT_EQ(available("10.0.0.1"), false);   // the gateway
    EXPECT_EQ(available("10.0.0.14"), false);  // in no range
    EXPECT_THROW(available("ten"), Error);
}

TEST_F(Networks, DnsServersOfABridgeNetworkAreKept) {
    const std::string network = bridge_l3();
    call("AddDnsToL3Network", {{"l3NetworkUuid", network}, {"dns", "9.9.9.9"}});
    EXPECT_EQ(call("AddDnsToL3Network", {{"l3NetworkUuid", network}, {"dns", "1.1.1.1"}})["inventory"]["dns"],
              json::array({"9.9.9.9", "1.1.1.1"}));
    EXPECT_EQ(failure_of("AddDnsToL3Network", {{"l3NetworkUuid", network}, {"dns", "9.9.9.9"}}).code(),
              Code::operation_failed);
    EXPECT_EQ(failure_of("AddDnsToL3Network", {{"l3NetworkUuid", network}, {"dns", "9.9.9.9,8.8.8.8"}}).code(),
              Code::invalid_argument);
    EXPECT_EQ(call("RemoveDnsFromL3Network", {{"l3NetworkUuid", network}, {"dns", "9.9.9.9"}})["inventory"]["dns"],
              json::array({"1.1.1.1"}));
}

TEST_F(Networks, DnsServersTheNatNetworkWouldNotUseAreRefused) {
    EXPECT_EQ(failure_of("AddDnsToL3Network", {{"l3NetworkUuid", made("l3-network")}, {"dns", "9.9.9.9"}}).code(),
              Code::no_capability);
    const std::string second = l3(made("l2-network"));
    EXPECT_EQ(call("AddDnsToL3Network", {{"l3NetworkUuid", second}, {"dns", "192.168.221.1"}})["inventory"]["dns"],
              json::array({"192.168.221.1"}));
    EXPECT_EQ(failure_of("RemoveDnsFromL3Network", {{"l3NetworkUuid", second}, {"dns", "192.168.221.1"}}).code(),
              Code::no_capability);
}

TEST_F(Networks, ServicesAreGivenToNatNetworksOnly) {
    const std::string provider = only("QueryNetworkServiceProvider", {"type=Flat"})["uuid"];
    const std::string on_nat = l3(made("l2-network")), on_bridge = bridge_l3();
    const json services_of_nat = call(
        "AttachNetworkServiceToL3Network",
        {{"l3NetworkUuid", on_nat}, {"networkServices", {{provider, {"DHCP", "DNS"}}}}})["inventory"]["networkServices"];
    EXPECT_EQ(services_of_nat.size(), 2u);
    EXPECT_EQ(services_of_nat[0]["networkServiceType"], "DHCP");
    EXPECT_EQ(failure_of("AttachNetworkServiceToL3Network",
                         {{"l3NetworkUuid", on_bridge}, {"networkServices", {{provider, {"DHCP"}}}}})
                  .code(),
              Code::no_capability);
    EXPECT_EQ(failure_of("AttachNetworkServiceToL3Network",
                         {{"l3NetworkUuid", on_nat}, {"networkServices", {{provider, {"LoadBalancer"}}}}})
                  .code(),
              Code::invalid_argument);
    EXPECT_EQ(failure_of("AttachNetworkServiceToL3Network",
                         {{"l3NetworkUuid", on_nat}, {"networkServices", {{make_uuid(), {"DHCP"}}}}})
                  .code(),
              Code::not_found);
}

TEST_F(Networks, TheProviderIsTheSameAsLongAsTheStoreLives) {
    const json provider = only("QueryNetworkServiceProvider");
    EXPECT_EQ(provider["uuid"], made("network-provider"));
    EXPECT_EQ(provider["networkServiceTypes"], json::array({"DHCP", "DNS", "SNAT"}));
    EXPECT_EQ(provider["attachedL2NetworkUuids"], json::array({made("l2-network")}));
    EXPECT_EQ(query("QueryNetworkServiceProvider", {"networkServiceTypes=SNAT"}).size(), 1u);
    EXPECT_EQ(query("QueryNetworkServiceProvider", {"networkServiceTypes=Eip"}).size(), 0u);
    EXPECT_EQ(call("GetNetworkServiceTypes", json::object())["types"]["DHCP"], json::array({provider["uuid"]}));
}

TEST_F(Networks, TheNatNetworkLeavesTheHostWithItsLastL2Network) {
    world.networks().ensure_nat_network(addresses.nat_spec());
    call("DeleteL3Network", {{"uuid", made("l3-network")}});
    call("DeleteL2Network", {{"uuid", made("l2-network")}});
    EXPECT_FALSE(world.networks().network_is_active(settings.network_name));
    l2(settings.network_bridge);  // and can be had again
}

TEST_F(Networks, WhatIsNotOfferedIsRefused) {
    EXPECT_EQ(failure_of("CreateL3Network", {{"name", "x"}, {"l2NetworkUuid", made("l2-network")}, {"ipVersion", 6}}).code(),
              Code::no_capability);
    EXPECT_EQ(
        failure_of("CreateL3Network", {{"name", "x"}, {"l2NetworkUuid", made("l2-network")}, {"dnsDomain", "example.org"}})
            .code(),
        Code::invalid_argument);
    const std::string without = create("CreateL3Network", {{"name", "x"}, {"l2NetworkUuid", l2()}, {"enableIPAM", false}});
    EXPECT_EQ(failure_of("AddIpRange", range(without, "10.0.0.10", "10.0.0.13")).code(), Code::operation_failed);
}

}  // namespace
}  // namespace hvagent::operations
