#include "tests/unit/peers/peers_fixture.h"

namespace hvagent::peers {
namespace {

TEST(Offers, AreFoundByTheirTicketUntilRevoked) {
    PeerFiles files;
    const std::string one = files.offer("/a"), other = files.offer("/a"), third = files.offer("/b");
    EXPECT_EQ(one.size(), 64u);
    EXPECT_NE(one, other);
    EXPECT_EQ(files.find(one), "/a");
    EXPECT_EQ(files.find(third), "/b");
    files.revoke(one);
    files.revoke(one);
    EXPECT_EQ(files.find(one), std::nullopt);
    EXPECT_EQ(files.find(other), "/a");
    EXPECT_EQ(files.find(""), std::nullopt);
}

}  // namespace
}  // namespace hvagent::peers
