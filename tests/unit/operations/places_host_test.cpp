#include <gmock/gmock.h>

#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class Hosts : public Places {
protected:
    Hosts() { start(); }
};

TEST_F(Hosts, AreShownWithTheFiguresOfThisMoment) {
    const json idle = only("QueryHost");
    EXPECT_EQ(idle["status"], "Connected");
    EXPECT_EQ(idle["totalCpuCapacity"], 80);  // 8 CPUs, ratio 10
    EXPECT_EQ(idle["availableCpuCapacity"], 80);
    EXPECT_EQ(idle["totalMemoryCapacity"], 32 * GiB);
    EXPECT_EQ(idle["availableMemoryCapacity"], 32 * GiB - settings.reserved_memory);
    add_vm([&](Vm& vm) {
        vm.host = host;
        vm.cpus = 2;
        vm.memory = GiB;
    });
    const json busy = only("QueryHost", {"uuid=" + host.str()});
    EXPECT_EQ(busy["availableCpuCapacity"], 78);
    // What its QEMU takes: 64 MiB, 8 MiB for each virtual CPU, 1/256 of the guest's memory.
    const Bytes overhead = (64 + 2 * 8 + 4) * MiB;
    EXPECT_EQ(busy["availableMemoryCapacity"], 31 * GiB - settings.reserved_memory - overhead);
    EXPECT_EQ(capacity->figures().overhead, overhead);
    EXPECT_EQ(busy["lastOpDate"], idle["lastOpDate"]);
}

TEST_F(Hosts, AreDisconnectedWithTheirLastFiguresWhileLibvirtIsSilent) {
    query("QueryHost");
    world.lose_libvirt();
    world.settle();
    world.faults.hang("facts");  // a question would never be answered
    const json silent = only("QueryHost");
    EXPECT_EQ(silent["status"], "Disconnected");
    EXPECT_EQ(silent["totalMemoryCapacity"], 32 * GiB);
    world.faults.release("facts");
    world.bring_libvirt_back();
    world.settle();
    EXPECT_EQ(only("QueryHost")["status"], "Connected");
}

TEST_F(Hosts, AHostWhoseFiguresCannotBeReadIsDisconnected) {
    world.faults.fail_next("facts", Error(Code::host_connection, "no answer"));
    EXPECT_EQ(only("QueryHost")["status"], "Disconnected");
    EXPECT_EQ(only("QueryHost")["status"], "Connected");
}

TEST_F(Hosts, ReconnectTellsTheTruth) {
    EXPECT_EQ(call("ReconnectHost", {{"uuid", host.str()}})["inventory"]["status"], "Connected");
    world.lose_libvirt("gone");
    world.settle();
    EXPECT_EQ(failure_of("ReconnectHost", {{"uuid", host.str()}}).code(), Code::host_connection);
    EXPECT_EQ(inventory.get<Host>(host).status, ConnectionStatus::disconnected);
}

TEST_F(Hosts, ReconnectSeesAChangedHost) {
    query("QueryHost");
    world.inspector().host.cpus = 16;
    EXPECT_EQ(call("ReconnectHost", {{"uuid", host.str()}})["inventory"]["cpuNum"], 16);
}

TEST_F(Hosts, ADisabledHostTakesNoVm) {
    EXPECT_EQ(call("ChangeHostState", {{"uuid", host.str()}, {"stateEvent", "disable"}})["inventory"]["state"], "Disabled");
    EXPECT_NE(capacity->why_not(1, GiB), "");
    EXPECT_EQ(call("GetCpuMemoryCapacity", {{"all", "true"}})["availableMemory"], 0);
    call("ChangeHostState", {{"uuid", host.str()}, {"stateEvent", "enable"}});
    EXPECT_EQ(capacity->why_not(1, GiB), "");
}

TEST_F(Hosts, AllThatSpeaksAgainstAVmIsTold) {
    call("ChangeHostState", {{"uuid", host.str()}, {"stateEvent", "disable"}});
    const auto reasons = capacity->reasons_against(VmId(), 1000, 1000 * GiB);
    ASSERT_EQ(reasons.size(), 3u);
    EXPECT_THAT(reasons[0], testing::HasSubstr("is Disabled"));
    EXPECT_THAT(reasons[1], testing::HasSubstr("of memory left of 31.5 GiB, the VM needs 1000.0 GiB and"));
    EXPECT_THAT(reasons[2], testing::HasSubstr("80 virtual CPUs left of 80, the VM needs 1000"));
}

TEST_F(Hosts, TheMemoryOfQemuCountsToTheLastByte) {
    const Bytes limit = 32 * GiB - settings.reserved_memory;
    const Bytes fits = (limit - 72 * MiB) / 257 * 256;  // with the share for page tables
    EXPECT_EQ(capacity->why_not(1, fits - MiB), "");
    EXPECT_NE(capacity->why_not(1, fits + MiB), "");
    settings.vm_overhead = 0;  // nothing of it counts
    EXPECT_EQ(capacity->why_not(1, limit), "");
}

TEST_F(Hosts, AVmThatRunsHereIsNotCountedTwice) {
    const VmId vm = add_vm([&](Vm& record) {
        record.host = host;
        record.memory = 20 * GiB;
    });
    EXPECT_NE(capacity->why_not(1, 20 * GiB), "");
    EXPECT_TRUE(capacity->reasons_against(vm, 1, 20 * GiB).empty());
}

TEST_F(Hosts, MaintenanceOfAnEmptyHostIsEnteredAndLeft) {
    const auto change = [&](const char* event) {
        return call("ChangeHostState", {{"uuid", host.str()}, {"stateEvent", event}})["inventory"]["state"];
    };
    EXPECT_EQ(change("preMaintain"), "PreMaintenance");
    EXPECT_NE(capacity->why_not(1, GiB), "");
    EXPECT_EQ(change("maintain"), "Maintenance");
    EXPECT_NE(capacity->why_not(1, GiB), "");
    EXPECT_EQ(change("enable"), "Enabled");
    EXPECT_EQ(capacity->why_not(1, GiB), "");
}

TEST_F(Hosts, MaintenanceThatCannotMoveAVmSaysWhichAndWhy) {
    const VmId vm = add_vm([&](Vm& record) { record.host = host; });
    std::vector<std::string> submitted;
    services->own_jobs.submit = [&](const std::string& operation, const json&) {
        submitted.push_back(operation);
        return JobId::make();
    };
    services->own_jobs.wait = [](const JobId&, Moment) { return true; };
    services->own_jobs.find_end = [](const JobId&) { return OwnJobs::End{false, "no other host is known to this agent"}; };
    const Error error = failure_of("ChangeHostState", {{"uuid", host.str()}, {"stateEvent", "maintain"}});
    EXPECT_EQ(error.code(), Code::host_maintenance);
    EXPECT_NE(error.details().find(vm.str()), std::string::npos);
    EXPECT_NE(error.details().find("no other host"), std::string::npos);
    EXPECT_EQ(submitted, std::vector<std::string>{"MigrateVm"});
    EXPECT_EQ(inventory.get<Host>(host).state, "PreMaintenance");
}

TEST_F(Hosts, AreRenamed) {
    const json renamed = call("UpdateHost", {{"uuid", host.str()}, {"name", "n"}, {"description", "d"}})["inventory"];
    EXPECT_EQ(renamed["name"], "n");
    EXPECT_EQ(renamed["description"], "d");
    EXPECT_EQ(failure_of("UpdateHost", {{"uuid", host.str()}, {"managementIp", "10.0.0.1"}}).code(), Code::invalid_argument);
    EXPECT_EQ(failure_of("UpdateHost", {{"uuid", make_uuid()}, {"name", "n"}}).code(), Code::not_found);
}

TEST_F(Hosts, CapacityIsAskedForByPlace) {
    query("QueryHost");
    for (const auto& [parameter, uuid, type] :
         {std::tuple{"hostUuids", host.str(), "HostVO"}, std::tuple{"clusterUuids", made("cluster"), "ClusterVO"},
          std::tuple{"zoneUuids", made("zone"), "ZoneVO"}}) {
        const json answer = call("GetCpuMemoryCapacity", {{parameter, uuid}, {"hypervisorType", "KVM"}});
        EXPECT_EQ(answer["totalCpu"], 80) << parameter;
        EXPECT_EQ(answer["managedCpuNum"], 8);
        EXPECT_EQ(answer["totalMemory"], 32 * GiB);
        EXPECT_EQ(answer["resourceType"], type);
        ASSERT_EQ(answer["capacityData"].size(), 1u);
        EXPECT_EQ(answer["capacityData"][0]["resourceUuid"], uuid);
        EXPECT_EQ(answer["capacityData"][0]["availableMemory"], answer["availableMemory"]);
    }
    EXPECT_EQ(call("GetCpuMemoryCapacity", {{"all", "true"}, {"hypervisorType", "ESX"}})["totalCpu"], 0);
    EXPECT_THROW(call("GetCpuMemoryCapacity", json::object()), Error);
}

class PlacesAround : public Hosts {};

TEST_F(PlacesAround, AZoneThatHoldsThingsIsNotDeleted) {
    const Error error = failure_of("DeleteZone", {{"uuid", made("zone")}});
    EXPECT_NE(error.details().find("1 cluster, 1 host, 1 primary storage, 1 L2 network"), std::string::npos)
        << error.details();
    EXPECT_TRUE(inventory.find<Zone>(ZoneId(made("zone"))).has_value());
    EXPECT_EQ(failure_of("DeleteCluster", {{"uuid", made("cluster")}}).code(), Code::operation_failed);
}

TEST_F(PlacesAround, AnEmptyZoneAndClusterComeAndGo) {
    const std::string zone = create("CreateZone", {{"name", "z2"}, {"userTags", {"test"}}});
    const std::string cluster = create("CreateCluster", {{"name", "c2"}, {"zoneUuid", zone}, {"hypervisorType", "KVM"}});
    EXPECT_EQ(only("QueryCluster", {"zone.name=z2"})["architecture"], "x86_64");
    EXPECT_EQ(failure_of("DeleteZone", {{"uuid", zone}}).code(), Code::operation_failed);
    EXPECT_EQ(call("DeleteCluster", {{"uuid", cluster}}), json::object());
    EXPECT_EQ(call("DeleteZone", {{"uuid", zone}}), json::object());
    EXPECT_EQ(call("DeleteZone", {{"uuid", zone}}), json::object());
    EXPECT_EQ(query("QueryZone").size(), 1u);
    EXPECT_EQ(inventory.tags_of(zone, "User").size(), 0u);
}

TEST_F(PlacesAround, OneZoneIsTheDefault) {
    const std::string zone = create("CreateZone", {{"name", "z2"}, {"isDefault", true}});
    EXPECT_EQ(only("QueryZone", {"isDefault=true"})["uuid"], zone);
}

TEST_F(PlacesAround, OtherHypervisorsAreRefused) {
    EXPECT_EQ(
        failure_of("CreateCluster", {{"name", "c"}, {"zoneUuid", made("zone")}, {"hypervisorType", "Simulator"}}).code(),
        Code::invalid_argument);
    EXPECT_EQ(failure_of("CreateCluster", {{"name", "c"}, {"zoneUuid", make_uuid()}, {"hypervisorType", "KVM"}}).code(),
              Code::not_found);
}

}  // namespace
}  // namespace hvagent::operations
