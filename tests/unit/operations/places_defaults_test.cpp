#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class FirstStart : public Places {
protected:
    FirstStart() { inventory.migrate(); }
    json view(const char* resource, const char* what) { return inventory.view(resource, made(what)); }
};

class LaterStart : public FirstStart {
protected:
    LaterStart() { make_defaults(inventory, settings); }
    std::string refusal() {
        try {
            make_defaults(inventory, settings);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), Code::invalid_argument);
            return error.details();
        }
        return "";
    }
};

TEST_F(FirstStart, MakesASharedStorageWhereThatIsWished) {
    settings.primary_type = "SharedMountPoint";
    make_defaults(inventory, settings);
    EXPECT_EQ(view("PrimaryStorage", "primary-storage")["type"], "SharedMountPoint");
}

TEST_F(FirstStart, MakesAHostInAClusterInAZone) {
    settings.zone_name = "z";
    settings.cluster_name = "c";
    settings.host_name = "h";
    settings.management_ip = "10.1.2.3";
    const HostId uuid = make_defaults(inventory, settings);
    const json shown = view("Host", "host");
    EXPECT_EQ(shown["uuid"], uuid.str());
    EXPECT_EQ(shown["name"], "h");
    EXPECT_EQ(shown["managementIp"], "10.1.2.3");
    EXPECT_EQ(shown["state"], "Enabled");
    EXPECT_EQ(shown["status"], "Connecting");
    EXPECT_EQ(view("Cluster", "cluster")["name"], "c");
    EXPECT_EQ(shown["clusterUuid"], made("cluster"));
    EXPECT_EQ(shown["zoneUuid"], made("zone"));
    EXPECT_EQ(view("Zone", "zone")["name"], "z");
    EXPECT_EQ(view("Zone", "zone")["isDefault"], true);
}

TEST_F(FirstStart, TheManagementAddressIsTheListenAddress) {
    settings.http_listen = "10.9.8.7:8080";
    make_defaults(inventory, settings);
    EXPECT_EQ(view("Host", "host")["managementIp"], "10.9.8.7");
}

TEST_F(FirstStart, MakesAttachedStorages) {
    settings.primary_path = "/srv/p/";
    settings.backup_path = "/srv/b";
    make_defaults(inventory, settings);
    const json primary = view("PrimaryStorage", "primary-storage");
    EXPECT_EQ(primary["url"], "/srv/p");
    EXPECT_EQ(primary["type"], "LocalStorage");
    EXPECT_EQ(primary["attachedClusterUuids"], json::array({made("cluster")}));
    const json backup = view("BackupStorage", "backup-storage");
    EXPECT_EQ(backup["url"], "/srv/b");
    EXPECT_EQ(backup["attachedZoneUuids"], json::array({made("zone")}));
}

TEST_F(FirstStart, MakesANatNetworkWithAddressesAndServices) {
    settings.network_cidr = "10.20.0.0/16";
    make_defaults(inventory, settings);
    const json l2 = view("L2Network", "l2-network");
    EXPECT_EQ(l2["physicalInterface"], settings.network_bridge);
    EXPECT_EQ(l2["attachedClusterUuids"], json::array({made("cluster")}));
    const json l3 = view("L3Network", "l3-network");
    EXPECT_EQ(l3["l2NetworkUuid"], made("l2-network"));
    EXPECT_EQ(l3["dns"], json::array({"10.20.0.1"}));
    ASSERT_EQ(l3["ipRanges"].size(), 1u);
    EXPECT_EQ(l3["ipRanges"][0]["startIp"], "10.20.0.2");
    EXPECT_EQ(l3["ipRanges"][0]["endIp"], "10.20.255.254");
    EXPECT_EQ(l3["ipRanges"][0]["gateway"], "10.20.0.1");
    EXPECT_EQ(l3["ipRanges"][0]["netmask"], "255.255.0.0");
    EXPECT_EQ(l3["ipRanges"][0]["networkCidr"], "10.20.0.0/16");
    EXPECT_EQ(l3["networkServices"].size(), 3u);
    EXPECT_EQ(l3["networkServices"][0]["networkServiceProviderUuid"], made("network-provider"));
}

TEST_F(FirstStart, ASmallestNetworkHasOneAddressForGuests) {
    settings.network_cidr = "10.20.0.4/30";
    make_defaults(inventory, settings);
    EXPECT_EQ(view("IpRange", "ip-range")["startIp"], "10.20.0.6");
    EXPECT_EQ(view("IpRange", "ip-range")["endIp"], "10.20.0.6");
}

TEST_F(FirstStart, MakesNoNetworkWhenTheSettingsWantNone) {
    settings.network_enabled = false;
    make_defaults(inventory, settings);
    EXPECT_EQ(inventory.count<L2Network>(), 0);
    settings.network_enabled = true;  // and makes it when they do later
    make_defaults(inventory, settings);
    EXPECT_EQ(inventory.count<L2Network>(), 1);
}

TEST_F(FirstStart, LeavesNothingBehindWhenASettingIsWrong) {
    settings.network_cidr = "10.20.0.0/31";
    EXPECT_THROW(make_defaults(inventory, settings), Error);
    EXPECT_EQ(inventory.count<Host>(), 0);
}

TEST_F(FirstStart, RefusesStoragesInsideEachOther) {
    settings.primary_path = "/srv/data";
    settings.backup_path = "/srv/data/images";
    EXPECT_THROW(make_defaults(inventory, settings), Error);
}

TEST_F(LaterStart, KeepsUuidsAndNamesThatWereChangedByTheApi) {
    const HostId before{made("host")};
    inventory.modify<Host>(before, [](Host& record) { record.name = "renamed"; });
    settings.host_name = "other";
    EXPECT_EQ(make_defaults(inventory, settings), before);
    EXPECT_EQ(inventory.get<Host>(before).name, "renamed");
    EXPECT_EQ(inventory.count<Zone>() + inventory.count<Cluster>() + inventory.count<Host>(), 3);
    EXPECT_EQ(inventory.count<L3Network>() + inventory.count<IpRange>(), 2);
}

TEST_F(LaterStart, DoesNotMakeAgainWhatWasDeleted) {
    inventory.remove<PrimaryStorage>(PrimaryStorageId(made("primary-storage")));
    inventory.remove<L3Network>(L3NetworkId(made("l3-network")));
    inventory.remove<L2Network>(L2NetworkId(made("l2-network")));
    settings.primary_path = "/srv/elsewhere";
    make_defaults(inventory, settings);
    EXPECT_EQ(inventory.count<PrimaryStorage>() + inventory.count<L2Network>() + inventory.count<L3Network>(), 0);
}

TEST_F(LaterStart, AStorageWithVolumesDoesNotMove) {
    const std::string before = settings.primary_path;
    add_volume(made("primary-storage"));
    settings.primary_path = "/srv/elsewhere";
    EXPECT_NE(refusal().find("holds 1 files in " + before), std::string::npos) << refusal();
    EXPECT_EQ(view("PrimaryStorage", "primary-storage")["url"], before);
}

TEST_F(LaterStart, AnEmptyStorageMovesWithTheSettings) {
    settings.primary_path = "/srv/elsewhere";
    settings.backup_path = "/srv/images";
    EXPECT_EQ(refusal(), "");
    EXPECT_EQ(view("PrimaryStorage", "primary-storage")["url"], "/srv/elsewhere");
    EXPECT_EQ(view("BackupStorage", "backup-storage")["url"], "/srv/images");
}

TEST_F(LaterStart, ANetworkWithNicsKeepsItsAddresses) {
    add_nic(made("l3-network"));
    settings.network_cidr = "10.20.0.0/16";
    EXPECT_NE(refusal().find("1 NICs"), std::string::npos) << refusal();
    settings.network_cidr = config::Settings().network_cidr;
    settings.network_bridge = "other0";
    EXPECT_NE(refusal().find("bridge"), std::string::npos) << refusal();
}

TEST_F(LaterStart, AnUnusedNetworkFollowsTheSettings) {
    settings.network_cidr = "10.20.0.0/16";
    settings.network_bridge = "other0";
    EXPECT_EQ(refusal(), "");
    EXPECT_EQ(view("IpRange", "ip-range")["startIp"], "10.20.0.2");
    EXPECT_EQ(view("L3Network", "l3-network")["dns"], json::array({"10.20.0.1"}));
    EXPECT_EQ(view("L2Network", "l2-network")["physicalInterface"], "other0");
}

}  // namespace
}  // namespace hvagent::operations
