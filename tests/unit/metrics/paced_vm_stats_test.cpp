#include "agent/metrics/paced_vm_stats.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_vm_stats.h"
#include "tests/fakes/movable_clock.h"

namespace hvagent::metrics {
namespace {

class Paced : public testing::Test {
protected:
    static VmStats running(const VmId& vm, std::uint64_t cpu) {
        VmStats stats;
        stats.vm = vm;
        stats.active = true;
        stats.cpu_nanoseconds = cpu;
        stats.rss = 100 * MiB;
        stats.each_vcpu.push_back({0, cpu, {}});
        return stats;
    }
    MovableClock clock;
    FakeVmStats source;
    PacedVmStats paced{source, clock, seconds(1000)};
    const VmId vm = VmId::make();
};

TEST_F(Paced, TheDearGroupsAreAskedForOnceInAPaceAndShownInBetween) {
    source.set({running(vm, 1)});
    paced.collect();
    source.set({running(vm, 2)});
    const PacedStats second = paced.collect();
    EXPECT_EQ(source.calls(), 1);
    EXPECT_EQ(source.quick_calls(), 1);
    ASSERT_EQ(second.vms.size(), 1u);
    EXPECT_EQ(second.vms[0].cpu_nanoseconds, 2u) << "fresh";
    EXPECT_EQ(second.vms[0].rss, 100 * MiB) << "of before";
    ASSERT_EQ(second.vms[0].each_vcpu.size(), 1u);
    EXPECT_EQ(second.vms[0].each_vcpu[0].nanoseconds, 1u);
    clock.move(seconds(1001));
    EXPECT_EQ(paced.collect().vms[0].each_vcpu[0].nanoseconds, 2u);
    EXPECT_EQ(source.calls(), 2);
}

TEST_F(Paced, AVmThatStartedSinceIsAskedAtOnce) {
    source.set({running(vm, 1)});
    paced.collect();
    source.set({running(vm, 2), running(VmId::make(), 1)});
    const PacedStats seen = paced.collect();
    EXPECT_EQ(source.calls(), 2);
    for (const VmStats& one : seen.vms) EXPECT_TRUE(one.rss);
}

TEST_F(Paced, AVmThatStoppedLosesItsFigures) {
    source.set({running(vm, 1)});
    paced.collect();
    VmStats off;
    off.vm = vm;
    source.set({off});
    EXPECT_FALSE(paced.collect().vms[0].rss);
    source.set({running(vm, 1)});
    paced.collect();
    EXPECT_EQ(source.calls(), 1) << "one that came back keeps what was known until the pace is over";
}

TEST_F(Paced, OneThatToldNothingIsNotAskedAllTheTime) {
    VmStats silent = running(vm, 1);
    silent.rss.reset();
    silent.qemu_responds = false;
    source.set({silent});
    paced.collect();
    paced.collect();
    EXPECT_EQ(source.calls(), 1);
}

TEST_F(Paced, AFailureIsTheCallersAndChangesNothing) {
    source.set({running(vm, 1)});
    paced.collect();
    source.faults.fail_next("quick_stats", Error(Code::timeout, "libvirt is silent"));
    EXPECT_THROW(paced.collect(), Error);
    EXPECT_TRUE(paced.collect().vms[0].rss);
}

}  // namespace
}  // namespace hvagent::metrics
