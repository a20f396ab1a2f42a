#include "drivers/libvirt/vm_stats_record.h"

#include <gtest/gtest.h>

#include "drivers/libvirt/call_observer.h"

namespace hvagent::libvirt {
namespace {

class Record {
public:
    Record() { virInitialize(); }  // its errors are kept per thread, in a place made here
    ~Record() { virTypedParamsFree(params_, count_); }
    Record& number(const char* name, unsigned long long value) {
        virTypedParamsAddULLong(&params_, &count_, &room_, name, value);
        return *this;
    }
    Record& state(int value) {
        virTypedParamsAddInt(&params_, &count_, &room_, "state.state", value);
        return *this;
    }
    Record& text(const char* name, const char* value) {
        virTypedParamsAddString(&params_, &count_, &room_, name, value);
        return *this;
    }
    VmStats read() const { return read_stats(VmId("0123456789abcdef0123456789abcdef"), params_, count_); }

private:
    virTypedParameterPtr params_ = nullptr;
    int count_ = 0, room_ = 0;
};

TEST(VmStatsRecord, FiguresOfARunningVmAreRead) {
    const VmStats stats = Record()
                              .state(VIR_DOMAIN_RUNNING)
                              .number("cpu.time", 5000)
                              .number("balloon.current", 2048)
                              .number("balloon.rss", 10)
                              .number("vcpu.current", 2)
                              .number("vcpu.0.time", 70)
                              .number("vcpu.1.time", 80)
                              .number("vcpu.1.delay", 9)
                              .number("net.count", 1)
                              .text("net.0.name", "vnic1.0")
                              .number("net.0.rx.bytes", 11)
                              .number("net.0.tx.drop", 12)
                              .number("block.count", 2)
                              .text("block.1.name", "vdb")
                              .text("block.1.path", "/p/b.qcow2")
                              .number("block.1.rd.bytes", 13)
                              .number("block.1.wr.times", 14)
                              .number("block.1.physical", 15)
                              .number("some.day.new", 1)
                              .read();
    EXPECT_TRUE(stats.active);
    EXPECT_EQ(stats.cpu_nanoseconds, 5000u);
    EXPECT_EQ(stats.memory, 2 * MiB);
    EXPECT_EQ(stats.rss, 10 * KiB);
    EXPECT_EQ(stats.vcpus, 2u);
    ASSERT_EQ(stats.each_vcpu.size(), 2u);
    EXPECT_EQ(stats.each_vcpu[1].nanoseconds, 80u);
    EXPECT_EQ(stats.each_vcpu[1].waited_nanoseconds, 9u);
    ASSERT_EQ(stats.nics.size(), 1u);
    EXPECT_EQ(stats.nics[0].target, "vnic1.0");
    EXPECT_EQ(stats.nics[0].received->bytes, 11u);
    EXPECT_EQ(stats.nics[0].transmitted->drops, 12u);
    ASSERT_EQ(stats.disks.size(), 2u);
    EXPECT_EQ(stats.disks[1].source, "/p/b.qcow2");
    EXPECT_EQ(stats.disks[1].read->bytes, 13u);
    EXPECT_EQ(stats.disks[1].written->nanoseconds, 14u);
    EXPECT_EQ(stats.disks[1].physical, 15u);
    EXPECT_FALSE(stats.disks[0].read) << "nothing was said of it";
}

TEST(VmStatsRecord, AVmThatIsOffHasNoFigures) {
    const VmStats stats = Record().state(VIR_DOMAIN_SHUTOFF).read();
    EXPECT_FALSE(stats.active);
    EXPECT_FALSE(stats.cpu_nanoseconds);
}

TEST(VmStatsRecord, ADeviceNumberBeyondReasonIsLeftOut) {
    EXPECT_TRUE(Record().number("block.99999999.rd.bytes", 1).number("block..rd.bytes", 1).read().disks.empty());
}

TEST(KindOfCall, LeavesOutTheObject) {
    EXPECT_EQ(kind_of_call("suspend"), "suspend");
    EXPECT_EQ(kind_of_call("resize volume 0123456789abcdef0123456789abcdef"), "resize volume");
    EXPECT_EQ(kind_of_call("start network of the house"), "start network");
    EXPECT_EQ(kind_of_call("read the host's facts"), "read the host's facts");
}

}  // namespace
}  // namespace hvagent::libvirt
