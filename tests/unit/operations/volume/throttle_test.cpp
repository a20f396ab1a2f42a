#include "tests/unit/operations/volume/volume_fixture.h"

namespace hvagent::operations {
namespace {

class ThrottleTest : public VolumeLife {
protected:
    ThrottleTest() : vm(create_vm()), id(create_volume()) { attach_to(vm, id); }
    DiskThrottle live() { return live_disks(vm).back().throttle; }
    json set(const json& limits) { return on("SetVolumeQoS", id, limits)["inventory"]; }
    Code refusal(const json& limits) { return on_failure("SetVolumeQoS", id, limits).code(); }

    const VmId vm;
    const VolumeId id;
};

TEST_F(ThrottleTest, ItIsInForceAtOnceAndAfterTheNextStart) {
    EXPECT_EQ(set({{"volumeBandwidth", 1048576}})["volumeQos"], "total=1048576");
    EXPECT_EQ(live().total_bandwidth, 1048576);
    act("StopVmInstance", vm);
    set({{"totalIOPS", 100}});
    act("StartVmInstance", vm);
    EXPECT_EQ(live().total_bandwidth, 1048576);
    EXPECT_EQ(live().total_iops, 100);
}

TEST_F(ThrottleTest, ATotalReplacesItsDirectionsAndTheOtherWayRound) {
    set({{"readBandwidth", 2048}, {"writeBandwidth", 4096}, {"readIOPS", 10}});
    set({{"readBandwidth", 8192}});
    EXPECT_EQ(live(), (DiskThrottle{0, 8192, 4096, 0, 10, 0})) << "only reading was asked for";
    set({{"mode", "total"}, {"volumeBandwidth", 1024}});
    EXPECT_EQ(live(), (DiskThrottle{1024, 0, 0, 0, 10, 0})) << "IOPS are another thing";
    set({{"mode", "write"}, {"volumeBandwidth", 2048}});
    EXPECT_EQ(live(), (DiskThrottle{0, 0, 2048, 0, 10, 0}));
    EXPECT_EQ(volume(id).throttle, live());
}

TEST_F(ThrottleTest, WishesThatContradictThemselvesAreRefused) {
    EXPECT_EQ(refusal(json::object()), Code::invalid_argument);
    EXPECT_EQ(refusal({{"mode", "read"}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"volumeBandwidth", 1023}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"totalIOPS", 0}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"totalBandwidth", 2048}, {"readBandwidth", 2048}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"mode", "read"}, {"writeBandwidth", 2048}}), Code::invalid_argument);
    EXPECT_EQ(refusal({{"mode", "all"}, {"volumeBandwidth", 2048}}), Code::invalid_argument);
    EXPECT_EQ(live(), DiskThrottle{});
}

TEST_F(ThrottleTest, LimitsAreLiftedByMode) {
    set({{"readBandwidth", 2048}, {"writeBandwidth", 4096}, {"totalIOPS", 10}});
    on("DeleteVolumeQoS", id, {{"mode", "read"}});
    EXPECT_EQ(live(), (DiskThrottle{0, 0, 4096, 10, 0, 0}));
    on("DeleteVolumeQoS", id, {{"mode", "total"}});
    EXPECT_EQ(live(), (DiskThrottle{0, 0, 4096, 0, 0, 0}));
    EXPECT_FALSE(on("DeleteVolumeQoS", id)["inventory"].contains("volumeQos"));
    EXPECT_EQ(live(), DiskThrottle{});
}

TEST_F(ThrottleTest, NoLimitIsMinusOne) {
    set({{"writeBandwidth", 4096}});
    const json answer = on("GetVolumeQoS", id);
    EXPECT_EQ(answer["volumeUuid"], id.str());
    EXPECT_EQ(answer["volumeBandwidth"], -1);
    EXPECT_EQ(answer["volumeBandwidthWrite"], 4096);
    EXPECT_EQ(answer["iopsTotal"], -1);
}

TEST_F(ThrottleTest, ForceSyncTakesOverWhatSomebodyDidByHand) {
    world.domains().happen(vm, [](FakeDomain& domain) { domain.spec.disks.back().throttle.total_bandwidth = 5000; });
    EXPECT_EQ(on("GetVolumeQoS", id)["volumeBandwidth"], -1);
    EXPECT_EQ(on("GetVolumeQoS", id, {{"forceSync", true}})["volumeBandwidth"], 5000);
    EXPECT_EQ(volume(id).throttle.total_bandwidth, 5000);
}

TEST_F(ThrottleTest, AHypervisorThatRefusesChangesNothing) {
    world.faults.fail_next("set_throttle", Error(Code::operation_failed, "no"));
    EXPECT_EQ(refusal({{"volumeBandwidth", 2048}}), Code::operation_failed);
    EXPECT_EQ(volume(id).throttle, DiskThrottle{});
}

TEST_F(ThrottleTest, AllWhoShareAVolumeAreThrottled) {
    const VolumeId shared = create_shareable();
    const VmId other = create_vm();
    attach_to(vm, shared);
    attach_to(other, shared);
    on("SetVolumeQoS", shared, {{"volumeBandwidth", 2048}});
    EXPECT_EQ(live_disks(vm).back().throttle.total_bandwidth, 2048);
    EXPECT_EQ(live_disks(other).back().throttle.total_bandwidth, 2048);
}

}  // namespace
}  // namespace hvagent::operations
