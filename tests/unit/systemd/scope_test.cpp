#include "drivers/systemd/scope.h"

#include <gtest/gtest.h>

#include "tests/unit/systemd/mock_bus.h"

namespace hvagent::systemd {
namespace {

class Scope : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("command -v dbus-daemon >/dev/null") != 0) GTEST_SKIP() << "dbus-daemon is not installed";
        bus = std::make_unique<PrivateBus>();
        services = std::make_unique<MockServices>(*bus);
    }

    std::unique_ptr<PrivateBus> bus;
    std::unique_ptr<MockServices> services;
};

// The mock moves nobody; the test of the packages has a systemd that does.
TEST_F(Scope, IsAskedForThisProcessAndOnlyThenTakenForGranted) {
    EXPECT_EQ(enter_scope("copy-1.scope", "a copy", bus->address()), "systemd took the request, and nothing came of it");
    EXPECT_EQ(services->scope().first, "copy-1.scope fail");
    EXPECT_EQ(services->scope().second, "PIDs " + std::to_string(::getpid()));
}

TEST_F(Scope, ThatIsRefusedIsToldWhy) {
    services->refuses_units = true;
    EXPECT_EQ(enter_scope("copy-1.scope", "a copy", bus->address()), "Permission denied");
}

TEST_F(Scope, WithoutABusIsToldWhy) {
    const std::string gone = bus->address();
    services.reset();
    bus.reset();
    EXPECT_NE(enter_scope("copy-1.scope", "a copy", gone).find("the message bus does not answer"), std::string::npos);
}

}  // namespace
}  // namespace hvagent::systemd
