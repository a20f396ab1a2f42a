#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/inventory/json_text.h"
#include "agent/inventory/wire_date.h"
#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

TEST(WireDates, AreWrittenAsTheContractDoes) {
    const InZone zone("CST-8");
    WireDate date;
    EXPECT_EQ(date.text(1510669257123), "Nov 14, 2017 10:20:57 PM");
    EXPECT_EQ(date.text(1510669257999), "Nov 14, 2017 10:20:57 PM");
    EXPECT_EQ(date.text(1704038400000), "Jan 1, 2024 12:00:00 AM");
    EXPECT_EQ(date.text(1704081600000), "Jan 1, 2024 12:00:00 PM");
    EXPECT_EQ(date.text(1709136000000), "Feb 29, 2024 12:00:00 AM");
    EXPECT_EQ(date.text(-1), "Jan 1, 1970 7:59:59 AM");
}

// Against the C library, over changes to and from summer time, in whole hours and half ones.
TEST(WireDates, FollowTheZone) {
    for (const char* name :
         {"EST5EDT,M3.2.0,M11.1.0", "UTC", "IST-5:30", "LHST-10:30LHDT-11,M10.1.0,M4.1.0", "CHAST-12:45"}) {
        const InZone zone(name);
        WireDate date;
        for (std::int64_t ms = 1704067200000; ms < 1704067200000 + 370LL * 86400000; ms += 1234567) {
            const auto seconds = static_cast<std::time_t>(ms / 1000);
            std::tm local{};
            localtime_r(&seconds, &local);
            char month[8];
            std::strftime(month, sizeof month, "%b", &local);
            char expected[64];
            std::snprintf(expected, sizeof expected, "%s %d, %d %d:%02d:%02d %s", month, local.tm_mday, local.tm_year + 1900,
                          (local.tm_hour + 11) % 12 + 1, local.tm_min, local.tm_sec, local.tm_hour < 12 ? "AM" : "PM");
            ASSERT_EQ(date.text(ms), expected) << name;
        }
    }
}

TEST(WireDates, ReadBackWhatTheyWrote) {
    const InZone zone("CST-8");
    WireDate date;
    for (const std::int64_t ms : std::vector<std::int64_t>{1510669257000, 1704038400000, 1704081600000, 0, 4102444800000}) {
        const auto instant = parse_date(date.text(ms));
        ASSERT_TRUE(instant) << date.text(ms);
        EXPECT_EQ(instant->from_ms, ms);
        EXPECT_EQ(instant->to_ms, ms + 1000);
    }
}

struct Spelling {
    const char* text;
    std::int64_t from_ms;
    std::int64_t width_ms;
    friend std::ostream& operator<<(std::ostream& out, const Spelling& spelling) { return out << spelling.text; }
};
class DateSpelling : public testing::TestWithParam<Spelling> {};

TEST_P(DateSpelling, IsUnderstood) {
    const InZone zone("CST-8");
    const auto instant = parse_date(GetParam().text);
    ASSERT_TRUE(instant);
    EXPECT_EQ(instant->from_ms, GetParam().from_ms);
    EXPECT_EQ(instant->to_ms - instant->from_ms, GetParam().width_ms);
}

INSTANTIATE_TEST_SUITE_P(All, DateSpelling,
                         testing::Values(Spelling{"1510669257123", 1510669257123, 1},
                                         Spelling{"Nov 14, 2017 10:20:57 PM", 1510669257000, 1000},
                                         Spelling{" nov 14,2017 10:20:57 pm ", 1510669257000, 1000},
                                         Spelling{"Nov 14, 2017, 10:20:57 PM", 1510669257000, 1000},
                                         Spelling{"2017-11-14T22:20:57", 1510669257000, 1000},
                                         Spelling{"2017-11-14 22:20:57", 1510669257000, 1000},
                                         Spelling{"2017-11-14T14:20:57Z", 1510669257000, 1000},
                                         Spelling{"2017-11-14T14:20:57.123Z", 1510669257123, 1},
                                         Spelling{"2017-11-14T22:20:57+08:00", 1510669257000, 1000},
                                         Spelling{"2017-11-14T09:20:57.5-0500", 1510669257500, 1},
                                         Spelling{"2017-11-14T14:20:57.123456Z", 1510669257123, 1},
                                         Spelling{"2017-11-14", 1510588800000, 1000}));

TEST(WireDates, NonsenseIsNoDate) {
    const InZone zone("CST-8");
    for (const char* text :
         {"", "yesterday", "Nov 14, 2017", "Nov 14, 2017 22:20:57 PM", "Nov 14, 2017 0:20:57 AM", "Nov 41, 2017 10:20:57 PM",
          "Foo 14, 2017 10:20:57 PM", "Nov 14, 2017 10:20:57", "Nov 14, 2017 10:20:57 PMx", "2017-13-14T22:20:57",
          "2017-11-14T25:20:57", "2017-11-14T22:20", "2017-11-14T22:20:57.", "2017-11-14T22:20:57X", "12.5", "0x10"})
        EXPECT_FALSE(parse_date(text)) << text;
}

std::string as_json(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(JsonStrings, EscapeWhatMustBe) {
    EXPECT_EQ(as_json("plain"), "\"plain\"");
    EXPECT_EQ(as_json("a\"b\\c\n\r\t\x01\x1f\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f\"");
    EXPECT_EQ(as_json("Grüße 虚拟机 😀"), "\"Grüße 虚拟机 😀\"");
    EXPECT_EQ(as_json(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(JsonStrings, BytesThatAreNoUtf8AreReplaced) {
    const std::string mark = "\xef\xbf\xbd";
    EXPECT_EQ(as_json("a\xff"), "\"a" + mark + "\"");
    EXPECT_EQ(as_json("\xc3"), "\"" + mark + "\"");
    EXPECT_EQ(as_json("\xc0\xaf"), "\"" + mark + mark + "\"");             // overlong
    EXPECT_EQ(as_json("\xed\xa0\x80"), "\"" + mark + mark + mark + "\"");  // half of a pair
    EXPECT_EQ(as_json("\xf4\x90\x80\x80x"), "\"" + mark + mark + mark + mark + "x\"");
}

// Whatever the bytes, a JSON parser reads the text.
TEST(JsonStrings, AreAlwaysValid) {
    unsigned state = 12345;
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (int i = 0; i < 12; ++i) bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
        EXPECT_TRUE(nlohmann::json::accept(as_json(bytes)));
    }
}

}  // namespace
}  // namespace hvagent::inventory
