#include "agent/identity/request_date.h"

#include <gtest/gtest.h>

#include "hvagent/error.h"

namespace hvagent::identity {
namespace {

// Tue, 03 Jun 2025 10:11:12 UTC
const Time noonish = from_unix_ms(1748945472000);
constexpr seconds tolerance{900};

TEST(RequestDate, ReadsEveryFormClientsSend) {
    for (const char* text :
         {"Tue, 03 Jun 2025 10:11:12 GMT", "Tue, 3 Jun 2025 10:11:12 UTC", "Tue, 03 Jun 2025 10:11:12 Z",
          "03 Jun 2025 10:11:12 GMT", "Tue, 03 Jun 2025 18:11:12 +0800", "Tue, 03 Jun 2025 18:11:12 GMT+08:00",
          "Tue, 03 Jun 2025 18:11:12 CST", "Tue, 03 Jun 2025 13:11:12 +03", "Tue, 03 Jun 2025 15:41:12 +0530",
          "Tue, 03 Jun 2025 18:11:12 Asia/Shanghai", "Tue, 03 Jun 2025 17:11:12 ICT", "2025-06-03T10:11:12Z",
          "2025-06-03T18:11:12+08:00", "2025-06-03T10:11:12.123Z"})
        EXPECT_TRUE(is_near(text, noonish, tolerance)) << text;
}

TEST(RequestDate, TakesTheClockFaceAtFaceValueToo) {
    EXPECT_TRUE(is_near("Tue, 03 Jun 2025 10:11:12 +0800", noonish, tolerance));
    EXPECT_TRUE(is_near("Tue, 03 Jun 2025 10:20:00 CST", noonish, tolerance));
}

TEST(RequestDate, RefusesOtherTimes) {
    for (const char* text :
         {"Tue, 03 Jun 2025 10:27:00 GMT", "Tue, 03 Jun 2025 09:55:00 GMT", "Tue, 03 Jun 2025 18:30:00 +0800",
          "Wed, 04 Jun 2025 10:11:12 GMT", "Thu, 05 Jun 2025 10:11:12 Asia/Shanghai", "2024-06-03T10:11:12Z"})
        EXPECT_FALSE(is_near(text, noonish, tolerance)) << text;
}

TEST(RequestDate, RefusesWhatIsNoDate) {
    for (const char* text :
         {"", "now", "Tue, 03 Foo 2025 10:11:12 GMT", "Tue, 33 Jun 2025 10:11:12 GMT", "Tue, 03 Jun 2025 25:11:12 GMT",
          "2025-13-03T10:11:12Z", "2025-06-03", "Tue, 03 Jun 10:11:12 GMT"})
        EXPECT_THROW(is_near(text, noonish, tolerance), Error) << text;
}

}  // namespace
}  // namespace hvagent::identity
