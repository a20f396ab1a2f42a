// The query language, operator by operator, over a small world.
#include "tests/unit/inventory/world.h"

namespace hvagent::inventory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Queries : public World {
protected:
    std::vector<std::string> vms(const std::vector<std::string>& conditions) { return names("VmInstance", conditions); }
};

TEST_F(Queries, WithoutConditionsFindAllInOrderOfCreation) {
    EXPECT_THAT(vms({}), ElementsAre("web-1", "Db-2", "bare 100%"));
}

TEST_F(Queries, AllConditionsMustHold) {
    EXPECT_THAT(vms({"cpuNum>1", "state=Running"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"cpuNum>1", "state=Running", "name=Db-2"}), IsEmpty());
}

TEST_F(Queries, EqualityOfTextsForgivesCase) {
    EXPECT_THAT(vms({"name=web-1"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"name=WEB-1"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"name= web-1"}), IsEmpty());
    EXPECT_THAT(vms({"name=web"}), IsEmpty());
    EXPECT_THAT(vms({"name!=WEB-1"}), ElementsAre("Db-2", "bare 100%"));
}

TEST_F(Queries, UuidsAreFoundInEitherCase) {
    Zone lettered;
    lettered.uuid = ZoneId("36c27e8ff05c4780bf6d2fa65700f22e");
    lettered.name = "lettered";
    inventory.insert(lettered);
    EXPECT_THAT(names("Zone", {"uuid=36C27E8FF05C4780BF6D2FA65700F22E"}), ElementsAre("lettered"));
    EXPECT_THAT(names("Zone", {"uuid?=x,36C27E8FF05C4780BF6D2FA65700F22E"}), ElementsAre("lettered"));
}

TEST_F(Queries, NullFulfilsNoComparisonNotEvenANegativeOne) {
    EXPECT_THAT(vms({"description!=back"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"description!?=back,side"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"description!~=b%"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"description<x"}), ElementsAre("web-1"));
}

TEST_F(Queries, NullTestsHaveFiveSpellings) {
    for (const char* text : {"description is null", "description=null", "description = NULL"})
        EXPECT_THAT(vms({text}), ElementsAre("Db-2", "bare 100%")) << text;
    for (const char* text : {"description not null", "description is not null", "description!=null"})
        EXPECT_THAT(vms({text}), ElementsAre("web-1")) << text;
    EXPECT_THAT(vms({"hostUuid is null"}), ElementsAre("Db-2", "bare 100%"));
}

TEST_F(Queries, NumbersCompareAsNumbersHoweverWritten) {
    EXPECT_THAT(vms({"memorySize>1073741824"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"memorySize>=1073741824.0"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"memorySize<1.0E9"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({"cpuNum=8.0"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"cpuNum= +8 "}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"cpuNum>1.5"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"cpuNum<=2"}), ElementsAre("web-1", "bare 100%"));
    EXPECT_THAT(vms({"cpuNum?=1,2.0"}), ElementsAre("web-1", "bare 100%"));
    EXPECT_THAT(vms({"cpuNum!?=1,2"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"cpuNum>-99999999999999999999"}), ElementsAre("web-1", "Db-2", "bare 100%"));
    EXPECT_THAT(vms({"memorySize~=%824"}), ElementsAre("web-1"));
    // As texts, "10" would come before "8".
    EXPECT_THAT(vms({"cpuNum<10"}), ElementsAre("web-1", "Db-2", "bare 100%"));
}

TEST_F(Queries, BooleansAreTrueAndFalse) {
    EXPECT_THAT(names("Zone", {"isDefault=true"}), ElementsAre("north"));
    EXPECT_THAT(names("Zone", {"isDefault=False"}), ElementsAre("south"));
    EXPECT_THAT(names("Zone", {"isDefault!=true"}), ElementsAre("south"));
    EXPECT_THAT(names("Zone", {"isDefault=1"}), ElementsAre("north"));
    EXPECT_THAT(names("Zone", {"isDefault?=true,false"}), ElementsAre("north", "south"));
    EXPECT_THAT(names("Zone", {"isDefault~=tr%"}), ElementsAre("north"));
}

TEST_F(Queries, DatesMeanTheSecondTheyName) {
    EXPECT_THAT(vms({"createDate=Nov 14, 2017 10:20:57 PM"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"createDate!=Nov 14, 2017 10:20:57 PM"}), ElementsAre("Db-2", "bare 100%"));
    EXPECT_THAT(vms({"createDate>Nov 14, 2017 10:20:57 PM"}), ElementsAre("Db-2", "bare 100%"));
    EXPECT_THAT(vms({"createDate>=Nov 14, 2017 10:20:57 PM"}), ElementsAre("web-1", "Db-2", "bare 100%"));
    EXPECT_THAT(vms({"createDate<=Nov 14, 2017 10:20:57 PM"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"createDate<Nov 14, 2017 10:20:57 PM"}), IsEmpty());
    EXPECT_THAT(vms({"createDate>2017-11-14T14:21:57Z"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({"createDate=1510669257123"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"createDate=1510669257124"}), IsEmpty());
    EXPECT_THAT(vms({"createDate?=2017-11-14 22:20:57,2017-11-14 22:21:57"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"createDate?=Nov 14, 2017 10:20:57 PM,Nov 14, 2017 10:21:57 PM"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"createDate!?=Nov 14, 2017 10:20:57 PM"}), ElementsAre("Db-2", "bare 100%"));
    EXPECT_THAT(vms({"createDate~=2017-11-14 22:21%"}), ElementsAre("Db-2"));
}

TEST_F(Queries, SetsAreSplitAtCommasAndKeepBlanks) {
    EXPECT_THAT(vms({"name?=web-1,Db-2"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"name?=web-1, Db-2"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"name?=,"}), IsEmpty());
    EXPECT_THAT(vms({"name!?=web-1,db-2"}), ElementsAre("bare 100%"));
}

TEST_F(Queries, PatternsMatchAsWholeWithTheirWildcards) {
    EXPECT_THAT(vms({"name~=web"}), IsEmpty());
    EXPECT_THAT(vms({"name~=web%"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"name~=%-_"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"name~=DB%"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"name~=%"}), ElementsAre("web-1", "Db-2", "bare 100%"));
    EXPECT_THAT(vms({"name!~=%-_"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({R"(name~=%\%)"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({R"(name~=w\_b%)"}), IsEmpty());
}

TEST_F(Queries, TheComputedStateCanBeAskedFor) {
    EXPECT_THAT(vms({"state=Created"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({"state?=Running,Stopped"}), ElementsAre("web-1", "Db-2"));
    inventory.modify<Vm>(VmId(uuid(101)), [](Vm& vm) { vm.transition = VmState::stopping; });
    EXPECT_THAT(vms({"state=Stopping"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"state=Running"}), IsEmpty());
}

TEST_F(Queries, ConstantsOfTheContractAreFieldsToo) {
    EXPECT_EQ(names("VmNic", {"hypervisorType=kvm"}).size(), 3u);
    EXPECT_THAT(names("VmNic", {"type!=VNIC"}), IsEmpty());
    EXPECT_EQ(vms({"cpuSpeed=0"}).size(), 3u);
    EXPECT_EQ(names("PrimaryStorage", {"mountPath=/var/lib/hvagent/ps"}).size(), 1u);
}

TEST_F(Queries, JoinsFollowIdsForwardAndBack) {
    EXPECT_THAT(vms({"zone.name=north"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"host.managementIp=192.0.2.1"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"vmNics.ip=10.0.0.3"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"vmNics.l3Network.name=public"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"allVolumes.size>316669952"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"rootVolume.name=volume-302"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"vmCdRoms.isoUuid not null"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"instanceOffering.name=small"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"zone.cluster.host.name=kvm-south"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"image.backupStorage.zone.name=north"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(names("Zone", {"vmInstance.name~=web%"}), ElementsAre("north"));
    EXPECT_THAT(names("Host", {"vmInstance.vmNics.ip=10.0.0.2"}), ElementsAre("kvm-north"));
    EXPECT_THAT(names("Volume", {"vmInstance.name=web-1"}), ElementsAre("volume-301", "volume-303"));
    EXPECT_THAT(names("Image", {"backupStorageRefs.status=Ready"}), ElementsAre("debian"));
    EXPECT_THAT(names("Image", {"backupStorageRef.backupStorage.name=images"}), ElementsAre("debian"));
    EXPECT_THAT(names("Image", {"volume.name=volume-301"}), ElementsAre("debian"));
    EXPECT_THAT(names("L3Network", {"ipRanges.startIp=10.0.0.2"}), ElementsAre("private"));
    EXPECT_THAT(names("L3Network", {"networkServices.networkServiceType=DHCP"}), ElementsAre("private"));
    EXPECT_THAT(names("L3Network", {"vmNic.vmInstance.name=Db-2"}), ElementsAre("private"));
    EXPECT_THAT(names("VmNic", {"usedIp.ipInLong=203", "usedIps.ip=10.0.0.3"}).size(), 1u);
}

TEST_F(Queries, JoinsOverAttachmentsGoBothWays) {
    EXPECT_THAT(names("Cluster", {"primaryStorage.name=local"}), ElementsAre("cluster-north", "cluster-south"));
    EXPECT_THAT(names("PrimaryStorage", {"cluster.name=cluster-south"}), ElementsAre("local"));
    EXPECT_THAT(names("BackupStorage", {"zone.name=south"}), IsEmpty());
    EXPECT_THAT(names("Zone", {"backupStorage.name=images"}), ElementsAre("north"));
    EXPECT_THAT(names("L2Network", {"cluster.name=cluster-south"}), ElementsAre("l2-vlan"));
    EXPECT_THAT(names("Cluster", {"l2Network.name=l2-flat"}), ElementsAre("cluster-north"));
    EXPECT_THAT(names("Cluster", {"l2VlanNetwork.vlan=100"}), ElementsAre("cluster-north", "cluster-south"));
    EXPECT_THAT(names("Cluster", {"l2VlanNetwork.name=l2-flat"}), IsEmpty());
}

TEST_F(Queries, ANegativeJoinMeansSomeRelatedRowThatDiffers) {
    EXPECT_THAT(vms({"vmNics.ip!=10.0.0.2"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"vmNics.ip!=10.0.0.3"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"zone.name!=north"}), ElementsAre("Db-2"));
}

TEST_F(Queries, TwoConditionsOnAJoinMayHoldForDifferentRows) {
    EXPECT_THAT(vms({"vmNics.ip=10.0.0.2", "vmNics.l3Network.name=public"}), ElementsAre("web-1"));
}

TEST_F(Queries, ListMembersAreAskedItemByItem) {
    EXPECT_THAT(names("PrimaryStorage", {"attachedClusterUuids=" + uuid(12)}), ElementsAre("local"));
    EXPECT_THAT(names("PrimaryStorage", {"attachedClusterUuids=" + uuid(13)}), IsEmpty());
    EXPECT_THAT(names("PrimaryStorage", {"attachedClusterUuids?=x," + uuid(11)}), ElementsAre("local"));
    EXPECT_THAT(names("BackupStorage", {"attachedZoneUuids=" + uuid(1)}), ElementsAre("images"));
    EXPECT_THAT(names("L3Network", {"dns=1.1.1.1"}), ElementsAre("private"));
    EXPECT_THAT(names("L3Network", {"dns=1.1.1"}), IsEmpty());
    EXPECT_THAT(names("L3Network", {"dns~=9.%"}), ElementsAre("private"));
    EXPECT_THAT(names("L3Network", {"dns is null"}), ElementsAre("public"));
    EXPECT_THAT(names("L3Network", {"dns not null"}), ElementsAre("private"));
    EXPECT_THAT(vms({"vmNics.l3Network.dns=9.9.9.9", "cluster.primaryStorage.attachedClusterUuids=" + uuid(12)}),
                ElementsAre("web-1", "Db-2"));
}

TEST_F(Queries, TagsMatchWhenSomeTagDoes) {
    EXPECT_THAT(vms({"__systemTag__=ha::NeverStop"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"__systemTag__~=ha::%"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"__systemTag__?=ha::NeverStop,hostname::db"}), ElementsAre("web-1", "Db-2"));
    EXPECT_THAT(vms({"__userTag__=production"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"__userTag__=ha::NeverStop"}), IsEmpty());
    EXPECT_THAT(vms({"vmNics.__userTag__=slow"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"image.__systemTag__=qemuga"}), ElementsAre("web-1", "Db-2"));
}

TEST_F(Queries, NegativeTagConditionsMeanNoTagDoes) {
    EXPECT_THAT(vms({"__systemTag__!=ha::NeverStop"}), ElementsAre("Db-2", "bare 100%"));
    EXPECT_THAT(vms({"__systemTag__!~=%::%"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({"__systemTag__!?=ha::NeverStop,x"}), ElementsAre("Db-2", "bare 100%"));
    EXPECT_THAT(vms({"__systemTag__ is null"}), ElementsAre("bare 100%"));
    EXPECT_THAT(vms({"__systemTag__ not null"}), ElementsAre("web-1", "Db-2"));
}

TEST_F(Queries, TheSingleColonOfTheManualFindsStoredTags) {
    EXPECT_THAT(vms({"__systemTag__=staticIp:10.0.0.2"}), ElementsAre("web-1"));
    EXPECT_THAT(vms({"__systemTag__=hostname:db"}), ElementsAre("Db-2"));
    EXPECT_THAT(vms({"__systemTag__!=hostname:db"}), ElementsAre("web-1", "bare 100%"));
    EXPECT_THAT(vms({"__systemTag__=staticIp:10.0.0.%"}), IsEmpty());
    EXPECT_THAT(vms({"__systemTag__=staticI_:10.0.0.2"}), IsEmpty());
    EXPECT_THAT(vms({"__systemTag__=hostname:d"}), IsEmpty());
    EXPECT_THAT(vms({"__userTag__=staticIp:10.0.0.2"}), IsEmpty());
}

TEST_F(Queries, TagsAreResourcesToo) {
    api::QueryRequest request;
    request.conditions = {"resourceUuid=" + uuid(101), "tag~=ha::%"};
    const json found = inventory.query("SystemTag", request)["inventories"];
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0]["resourceType"], "VmInstanceVO");
    EXPECT_EQ(found[0]["inherent"], false);
    EXPECT_TRUE(inventory.query("UserTag", request)["inventories"].empty());
    request.conditions.clear();
    const json user_tags = inventory.query("UserTag", request);
    EXPECT_EQ(user_tags["inventories"].size(), 3u);
    for (const json& tag : user_tags["inventories"]) EXPECT_EQ(tag["type"], "User");
    EXPECT_EQ(thrown_error([&] { names("UserTag", {"inherent=true"}); }).code(), Code::internal);
    request.uuid = tag_ids[0];
    EXPECT_EQ(inventory.query("SystemTag", request)["inventories"].size(), 1u);
    EXPECT_EQ(inventory.query("UserTag", request)["inventories"].size(), 0u);
}

TEST_F(Queries, ValuesNeverBecomeSql) {
    for (const std::string value : {"x' OR '1'='1", "x\" OR 1=1 --", "'; DROP TABLE vm; --", "?", "??", "x') OR 1=1 --",
                                    "\\' OR 1=1", "%' OR '%'='", "1; DELETE FROM vm"}) {
        for (const char* field : {"name", "vmNics.ip", "__systemTag__", "zone.name", "description"})
            for (const char* comparison : {"=", "?="})
                EXPECT_THAT(vms({field + std::string(comparison) + value}), IsEmpty()) << field << comparison << value;
        EXPECT_EQ(query_error("VmInstance", "cpuNum=" + value).code(), Code::bad_request);
        EXPECT_EQ(query_error("L3Network", "system=" + value).code(), Code::bad_request);
    }
    const std::string odd = "it's \"quoted\" \\ 100% ; -- 虚拟机 😀";
    add_vm(500, odd);
    EXPECT_THAT(vms({"name=" + odd}), ElementsAre(odd));
    EXPECT_THAT(vms({"name~=%虚_机%"}), ElementsAre(odd));
    EXPECT_THAT(vms({"name~=%-- ___ _"}), ElementsAre(odd));
}

TEST_F(Queries, UnknownNamesAreErrorsThatNameTheKnownOnes) {
    for (const char* text : {"nam=x", "intent=kept", "observed=Running", "rowid=1", "vmNics.foo=1", "foo.name=1",
                             "zone.vmNics.ip=1", "vmNics=1", "dns=1", "__tag__=1", "zone=1", "Name=web-1"}) {
        const Error error = query_error("VmInstance", text);
        EXPECT_EQ(error.code(), Code::internal) << text;
        EXPECT_THAT(error.details(), HasSubstr("has no field")) << text;
    }
    EXPECT_THAT(query_error("VmInstance", "nam=x").details(), HasSubstr("memorySize"));
    EXPECT_THAT(query_error("VmInstance", "nam=x").details(), HasSubstr("vmNics"));
    EXPECT_THAT(query_error("VmInstance", "vmNics.foo=1").details(), HasSubstr("VmNic has no field \"foo\""));
    EXPECT_EQ(query_error("UsedIp", "__systemTag__=x").code(), Code::internal);
    EXPECT_EQ(query_error("Image", "systemTags=x").code(), Code::internal);
    EXPECT_EQ(query_error("L3Network", "hostRoute=x").code(), Code::internal);
    EXPECT_EQ(query_error("L3Network", "ipRanges=x").code(), Code::internal);
}

TEST_F(Queries, ValuesOfTheWrongTypeAreBadRequests) {
    for (const char* text : {"cpuNum=two", "cpuNum=", "cpuNum= ", "cpuNum?=1,two", "cpuNum=0x10", "cpuNum=1e999",
                             "cpuNum=nan", "cpuNum=inf", "cpuNum=5five", "createDate=yesterday", "createDate?=2017-11-14,x"})
        EXPECT_EQ(query_error("VmInstance", text).code(), Code::bad_request) << text;
    EXPECT_EQ(query_error("Zone", "isDefault=yes").code(), Code::bad_request);
    EXPECT_EQ(query_error("Zone", "isDefault=2").code(), Code::bad_request);
    EXPECT_EQ(query_error("VmInstance", "").code(), Code::bad_request);
    EXPECT_EQ(query_error("VmInstance", "  ").code(), Code::bad_request);
    EXPECT_EQ(query_error("VmInstance", "name").code(), Code::bad_request);
}

TEST_F(Queries, TooMuchIsRefused) {
    EXPECT_EQ(thrown_error([&] { vms(std::vector<std::string>(201, "cpuNum>0")); }).code(), Code::bad_request);
    EXPECT_EQ(vms(std::vector<std::string>(200, "cpuNum>0")).size(), 3u);
    EXPECT_EQ(query_error("VmInstance", "name?=" + std::string(5000, ',')).code(), Code::bad_request);
    EXPECT_EQ(vms({"name!?=" + std::string(4095, ',')}).size(), 3u);
    EXPECT_EQ(thrown_error([&] { vms(std::vector<std::string>(5, "name!?=" + std::string(4095, ','))); }).code(),
              Code::bad_request);
    EXPECT_EQ(query_error("VmInstance", "name~=" + std::string(20000, '%')).code(), Code::bad_request);
    EXPECT_THAT(vms({"name~=" + std::string(16000, '\\')}), IsEmpty());
    EXPECT_EQ(vms(std::vector<std::string>(200, "zone.cluster.host.vmInstance.vmNics.l3Network.name~=%")).size(), 1u);
}

TEST_F(Queries, TheManualsConditionParameterCountsToo) {
    api::QueryRequest request;
    request.conditions = {"cpuNum>1"};
    request.condition_aliases = {"state=Running"};
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("web-1"));
}

TEST_F(Queries, SortGoesEitherWay) {
    const auto sorted = [&](const std::string& sort) {
        api::QueryRequest request;
        request.sort = sort;
        return names_of("VmInstance", request);
    };
    EXPECT_THAT(sorted("+name"), ElementsAre("bare 100%", "Db-2", "web-1"));
    EXPECT_THAT(sorted("name"), ElementsAre("bare 100%", "Db-2", "web-1"));
    EXPECT_THAT(sorted(" name "), ElementsAre("bare 100%", "Db-2", "web-1"));
    EXPECT_THAT(sorted("-name"), ElementsAre("web-1", "Db-2", "bare 100%"));
    EXPECT_THAT(sorted("-memorySize"), ElementsAre("Db-2", "web-1", "bare 100%"));
    EXPECT_THAT(sorted("description"), ElementsAre("Db-2", "bare 100%", "web-1"));
    EXPECT_THAT(sorted("-createDate"), ElementsAre("bare 100%", "Db-2", "web-1"));
    EXPECT_THAT(sorted("cpuSpeed"), ElementsAre("web-1", "Db-2", "bare 100%"));
    // What an old Java SDK sends by mistake.
    for (const char* nothing : {"", "+true", "+null", "-false", "+"})
        EXPECT_THAT(sorted(nothing), ElementsAre("web-1", "Db-2", "bare 100%")) << nothing;
    for (const char* wrong : {"+nam", "zone.name", "vmNics", "name,uuid", "name DESC", "1"})
        EXPECT_EQ(thrown_error([&] { sorted(wrong); }).code(), Code::internal) << wrong;
}

TEST_F(Queries, PagesFitTogether) {
    for (int i = 0; i < 20; ++i) add_vm(600 + i, "same");
    std::vector<std::string> all;
    for (int start = 0; start < 23; start += 5) {
        api::QueryRequest request;
        request.start = start;
        request.limit = 5;
        request.sort = "name";
        request.reply_with_count = true;
        const json page = inventory.query("VmInstance", request);
        EXPECT_EQ(page["total"], 23);
        EXPECT_EQ(page["inventories"].size(), start == 20 ? 3u : 5u);
        for (const json& one : page["inventories"]) {
            all.push_back(one["uuid"]);
            EXPECT_EQ(one["vmNics"].size(),
                      inventory.list<VmNic>({{"vmInstanceUuid", one["uuid"].get<std::string>()}}).size());
        }
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all.size(), 23u);
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(Queries, CountAnswersOnlyTheTotal) {
    api::QueryRequest request;
    request.conditions = {"cpuNum>1"};
    request.count = true;
    request.limit = 1;
    EXPECT_EQ(inventory.query("VmInstance", request), json({{"total", 2}}));
    request.count = false;
    request.reply_with_count = true;
    const json both = inventory.query("VmInstance", request);
    EXPECT_EQ(both["total"], 2);
    EXPECT_EQ(both["inventories"].size(), 1u);
    request.reply_with_count = false;
    EXPECT_FALSE(inventory.query("VmInstance", request).contains("total"));
    request.limit = 0;
    EXPECT_EQ(inventory.query("VmInstance", request), json({{"inventories", json::array()}}));
    request.limit = -1;
    EXPECT_EQ(thrown_error([&] { inventory.query("VmInstance", request); }).code(), Code::bad_request);
}

TEST_F(Queries, FieldsAreTheOnlyOnesAnswered) {
    api::QueryRequest request;
    request.conditions = {"uuid=" + uuid(101)};
    request.fields = {"uuid, name", "cpuNum"};
    EXPECT_EQ(inventory.query("VmInstance", request)["inventories"][0],
              json({{"uuid", uuid(101)}, {"name", "web-1"}, {"cpuNum", 2}}));
    request.fields = {"name,vmNics"};
    const json one = inventory.query("VmInstance", request)["inventories"][0];
    EXPECT_EQ(one.size(), 2u);
    EXPECT_EQ(one["vmNics"][0]["usedIps"].size(), 1u);
    request.fields = {"lastHostUuid"};
    EXPECT_EQ(inventory.query("VmInstance", request)["inventories"][0], json::object());
    for (const char* wrong : {"uuid,nam", "zone.name", "__userTag__", "zone", "vmNics.ip"}) {
        request.fields = {wrong};
        EXPECT_EQ(thrown_error([&] { inventory.query("VmInstance", request); }).code(), Code::internal) << wrong;
    }
    request.fields = {"", ","};
    EXPECT_TRUE(inventory.query("VmInstance", request)["inventories"][0].contains("vmNics"));
}

TEST_F(Queries, GroupByKeepsTheFirstOfEachValue) {
    add_vm(110, "WEB-1");
    api::QueryRequest request;
    request.group_by = "name";
    request.reply_with_count = true;
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("web-1", "Db-2", "bare 100%"));
    EXPECT_EQ(inventory.query("VmInstance", request)["total"], 3);
    request.group_by = "zoneUuid";
    request.conditions = {"name!=web-1"};
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("Db-2", "bare 100%"));
    request.sort = "-name";
    request.limit = 1;
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("Db-2"));
    request.group_by = "hypervisorType";
    request.conditions = {"zone.name=south"};
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("Db-2"));
    for (const char* wrong : {"nam", "zone.name", "vmNics", "name; DROP TABLE vm"}) {
        request.group_by = wrong;
        EXPECT_EQ(thrown_error([&] { names_of("VmInstance", request); }).code(), Code::internal) << wrong;
    }
    request = {};
    request.group_by = "hypervisorType";
    EXPECT_EQ(inventory.query("VmNic", request)["inventories"].size(), 1u);
}

TEST_F(Queries, ByUuidAllElseIsIgnored) {
    api::QueryRequest request;
    request.uuid = uuid(102);
    request.conditions = {"name=web-1", "nonsense"};
    request.sort = "nonsense";
    request.limit = 0;
    request.count = true;
    EXPECT_THAT(names_of("VmInstance", request), ElementsAre("Db-2"));
    request.uuid = uuid(999);
    EXPECT_EQ(inventory.query("VmInstance", request), json({{"inventories", json::array()}}));
    request.uuid = "x' OR '1'='1";
    EXPECT_EQ(inventory.query("VmInstance", request), json({{"inventories", json::array()}}));
}

// A misspelt name anywhere in a description would only be found by the query that uses it.
TEST_F(Queries, EveryFieldListAndJoinOfEveryResourceCanBeAskedFor) {
    for (const api::ResourceShape& shape : Inventory::shapes()) {
        api::QueryRequest request;
        for (const api::ShapeField& field : shape.fields) {
            if (!field.queryable) continue;
            request.conditions = {field.name + " not null"};
            EXPECT_NO_THROW(inventory.query(shape.resource, request)) << shape.resource << "." << field.name;
            if (field.type == api::FieldType::text_list) continue;
            request.group_by = request.sort = field.name;
            EXPECT_NO_THROW(inventory.query(shape.resource, request)) << shape.resource << "." << field.name;
            request.group_by = request.sort = "";
        }
        std::vector<std::string> joins;
        for (const api::ShapeExpand& expand : shape.expands) joins.push_back(expand.name);
        for (const api::ShapeNested& nested : shape.nested) joins.push_back(nested.name);
        for (const std::string& join : joins) {
            request.conditions = {join + (join == "networkServices" ? ".networkServiceType" : ".createDate") + " not null"};
            EXPECT_NO_THROW(inventory.query(shape.resource, request)) << shape.resource << "." << join;
        }
    }
}

}  // namespace
}  // namespace hvagent::inventory
