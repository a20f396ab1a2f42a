#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

using Records = StoreTest;

TEST_F(Records, AFreshVmComesBackAsItWasStored) {
    add_vm(1, "web-1");
    const Vm vm = inventory.get<Vm>(VmId(uuid(1)));
    EXPECT_EQ(vm.name, "web-1");
    EXPECT_EQ(to_unix_ms(vm.created), clock.unix_ms);
    EXPECT_EQ(inventory.answer("VmInstance", uuid(1))["inventory"]["state"], "Stopped");
}

}  // namespace
}  // namespace hvagent::inventory
