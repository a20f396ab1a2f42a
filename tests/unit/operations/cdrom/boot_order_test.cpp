#include "tests/unit/operations/cdrom/cdrom_fixture.h"

namespace hvagent::operations {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using enum BootDevice;

class BootOrder : public CdRoms {
protected:
    json order_of(const VmId& vm) { return call("GetVmBootOrder", {{"uuid", vm.str()}})["orders"]; }
    std::vector<BootDevice> defined(const VmId& vm) { return world.find(vm)->spec.boot_order; }
    void set(const VmId& vm, const json& order, json more = json::object()) {
        more["bootOrder"] = order;
        act("SetVmBootOrder", vm, more);
    }
    void restart(const VmId& vm) {
        act("StopVmInstance", vm, {{"type", "cold"}});
        act("StartVmInstance", vm);
    }
};

TEST_F(BootOrder, IsDiskAndNetworkAndTheCdWhenThereIsOne) {
    const VmId vm = create_vm();
    EXPECT_EQ(order_of(vm), (json{"HardDisk", "Network"}));
    attach(vm, add_iso());
    EXPECT_EQ(order_of(vm), (json{"HardDisk", "CdRom", "Network"}));
    EXPECT_THAT(defined(vm), ElementsAre(hard_disk, cdrom, network));
}

TEST_F(BootOrder, CountsFromTheNextStart) {
    const VmId vm = create_vm();
    set(vm, {"CdRom", "HardDisk"});
    EXPECT_EQ(order_of(vm), (json{"CdRom", "HardDisk"}));
    restart(vm);
    EXPECT_THAT(defined(vm), ElementsAre(cdrom, hard_disk));
    restart(vm);
    EXPECT_THAT(defined(vm), ElementsAre(cdrom, hard_disk));
}

TEST_F(BootOrder, IsTheDefaultAgainWithoutAList) {
    const VmId vm = create_vm({{"systemTags", {"bootOrder::Network"}}});
    act("SetVmBootOrder", vm);
    EXPECT_EQ(order_of(vm), (json{"HardDisk", "Network"}));
    EXPECT_TRUE(inventory.tags_of(vm.str(), "System").empty());
}

TEST_F(BootOrder, OfOneBootIsOverAfterIt) {
    const VmId vm = create_vm();
    set(vm, {"CdRom", "HardDisk"}, tags({"bootOrderOnce::true"}));
    restart(vm);
    EXPECT_THAT(defined(vm), ElementsAre(cdrom, hard_disk));
    EXPECT_EQ(order_of(vm), (json{"HardDisk", "Network"}));
    restart(vm);
    EXPECT_THAT(defined(vm), ElementsAre(hard_disk, cdrom, network));
}

TEST_F(BootOrder, OfOneBootOutlivesAStartThatFailed) {
    const VmId vm = create_vm({{"strategy", "CreateStopped"}});
    set(vm, {"CdRom", "HardDisk"}, tags({"bootOrderOnce::true"}));
    world.faults.fail_next("start", Error(Code::operation_failed, "no"));
    act_failure("StartVmInstance", vm);
    EXPECT_EQ(order_of(vm), (json{"CdRom", "HardDisk"}));
}

TEST_F(BootOrder, OfOneBootCanBeSaidAtTheCreation) {
    const VmId vm = create_vm(tags({"bootOrder::CdRom,HardDisk", "bootOrderOnce::true"}));
    EXPECT_THAT(defined(vm), ElementsAre(cdrom, hard_disk));
    EXPECT_EQ(order_of(vm), (json{"HardDisk", "Network"}));
}

TEST_F(BootOrder, RefusesWhatIsNoOrder) {
    const VmId vm = create_vm();
    const auto why = [&](json more) {
        const Error error = act_failure("SetVmBootOrder", vm, std::move(more));
        EXPECT_EQ(error.code(), Code::invalid_argument);
        return error.details();
    };
    EXPECT_THAT(why({{"bootOrder", {"Floppy"}}}), HasSubstr("Floppy"));
    EXPECT_THAT(why({{"bootOrder", {"CdRom", "CdRom"}}}), HasSubstr("stands twice"));
    EXPECT_THAT(why({{"bootOrder", {"CdRom"}}, {"systemTags", {"colour::red"}}}), HasSubstr("colour::red"));
    EXPECT_THAT(why(tags({"bootOrderOnce::true"})), HasSubstr("bootOrderOnce"));
}

}  // namespace
}  // namespace hvagent::operations
