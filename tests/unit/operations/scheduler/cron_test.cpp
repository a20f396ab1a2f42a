#include "agent/operations/scheduler/cron.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <vector>

#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// POSIX rules, so that no time zone data is needed.
constexpr const char* new_york = "EST5EDT,M3.2.0/2,M11.1.0/2";
constexpr const char* berlin = "CET-1CEST,M3.5.0/2,M10.5.0/3";
constexpr const char* lord_howe = "<+1030>-10:30<+11>-11,M10.1.0/2,M4.1.0/2";  // half an hour
constexpr const char* havana = "CST5CDT,M3.2.0/0,M11.1.0/1";                   // midnight does not exist

class Cron : public testing::Test {
protected:
    Cron() { in("UTC0"); }
    ~Cron() override { in("UTC0"); }
    static void in(const char* zone) {
        setenv("TZ", zone, 1);
        tzset();
    }
    // "2026-03-08 01:59:59", local; `later` picks the second of two.
    static Time at(const std::string& text, bool later = false) {
        std::tm local{};
        EXPECT_TRUE(strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &local)) << text;
        local.tm_isdst = later ? 0 : -1;
        return Time(seconds(std::mktime(&local)));
    }
    static std::string shown(const std::optional<Time>& time) {
        if (!time) return "never";
        const std::time_t unix_seconds = to_unix_ms(*time) / 1000;
        std::tm local{};
        localtime_r(&unix_seconds, &local);
        char text[64];
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
        return text;
    }
    static std::string next(const std::string& cron, const std::string& after) {
        return shown(CronExpression(cron).next(at(after)));
    }
    static std::vector<std::string> several(const std::string& cron, const std::string& after, int count) {
        const CronExpression expression(cron);
        std::vector<std::string> times;
        std::optional<Time> time = at(after);
        for (int i = 0; i < count && time; ++i) {
            time = expression.next(*time);
            times.push_back(shown(time));
        }
        return times;
    }
    static std::string refusal(const std::string& cron) {
        try {
            CronExpression{cron};
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), Code::invalid_argument);
            return error.details();
        }
        ADD_FAILURE() << cron << " was accepted";
        return "";
    }
};

using Times = std::vector<std::string>;

TEST_F(Cron, ExamplesOfQuartz) {
    const std::string now = "2026-11-21 12:30:15";  // a Saturday
    EXPECT_EQ(next("0 0 12 * * ?", now), "2026-11-22 12:00:00");
    EXPECT_EQ(next("0 15 10 ? * *", now), "2026-11-22 10:15:00");
    EXPECT_EQ(next("0 15 10 * * ? *", now), "2026-11-22 10:15:00");
    EXPECT_EQ(next("0 15 10 * * ? 2025", now), "never");
    EXPECT_EQ(next("0 * 14 * * ?", now), "2026-11-21 14:00:00");
    EXPECT_EQ(next("0 0/5 14 * * ?", "2026-11-21 14:55:00"), "2026-11-22 14:00:00");
    EXPECT_EQ(next("0 0/5 14,18 * * ?", "2026-11-21 14:55:00"), "2026-11-21 18:00:00");
    EXPECT_EQ(next("0 0-5 14 * * ?", "2026-11-21 14:05:00"), "2026-11-22 14:00:00");
    EXPECT_EQ(next("0 10,44 14 ? 3 WED", now), "2027-03-03 14:10:00");
    EXPECT_EQ(next("0 15 10 ? * MON-FRI", now), "2026-11-23 10:15:00");
    EXPECT_EQ(next("0 15 10 15 * ?", now), "2026-12-15 10:15:00");
    EXPECT_EQ(next("0 15 10 L * ?", now), "2026-11-30 10:15:00");
    EXPECT_EQ(next("0 15 10 L-2 * ?", now), "2026-11-28 10:15:00");
    EXPECT_EQ(next("0 15 10 ? * 6L", now), "2026-11-27 10:15:00");
    EXPECT_EQ(next("0 15 10 ? * 6L 2027-2029", now), "2027-01-29 10:15:00");
    EXPECT_EQ(next("0 15 10 ? * 6#3", now), "2026-12-18 10:15:00");
    EXPECT_EQ(next("0 0 12 1/5 * ?", now), "2026-11-26 12:00:00");
    EXPECT_EQ(next("0 11 11 11 11 ?", now), "2027-11-11 11:11:00");
}

TEST_F(Cron, SecondsAreKept) {
    EXPECT_EQ(several("10/20 * * * * ?", "2026-11-21 12:00:09", 4),
              (Times{"2026-11-21 12:00:10", "2026-11-21 12:00:30", "2026-11-21 12:00:50", "2026-11-21 12:01:10"}));
    EXPECT_EQ(next("* * * * * ?", "2026-12-31 23:59:59"), "2027-01-01 00:00:00");
    EXPECT_EQ(next("59 59 23 31 12 ?", "2026-12-31 23:59:59"), "2027-12-31 23:59:59");
}

TEST_F(Cron, ItIsTheFirstMomentAfter) {
    const CronExpression noon("0 0 12 * * ?");
    EXPECT_EQ(shown(noon.next(at("2026-11-21 12:00:00"))), "2026-11-22 12:00:00");
    EXPECT_EQ(shown(noon.next(at("2026-11-21 12:00:00") - milliseconds(1))), "2026-11-21 12:00:00");
}

TEST_F(Cron, NamesStepsAndRangesThatGoRound) {
    EXPECT_EQ(next("0 0 0 ? jan-mar Tue", "2026-11-21 00:00:00"), "2027-01-05 00:00:00");
    EXPECT_EQ(several("0 0 22-2 * * ?", "2026-11-21 21:00:00", 6),
              (Times{"2026-11-21 22:00:00", "2026-11-21 23:00:00", "2026-11-22 00:00:00", "2026-11-22 01:00:00",
                     "2026-11-22 02:00:00", "2026-11-22 22:00:00"}));
    EXPECT_EQ(several("0 0 0 ? * FRI-MON", "2026-11-19 12:00:00", 5),
              (Times{"2026-11-20 00:00:00", "2026-11-21 00:00:00", "2026-11-22 00:00:00", "2026-11-23 00:00:00",
                     "2026-11-27 00:00:00"}));
    EXPECT_EQ(several("0 0 8-18/5 * * ?", "2026-11-21 00:00:00", 4),
              (Times{"2026-11-21 08:00:00", "2026-11-21 13:00:00", "2026-11-21 18:00:00", "2026-11-22 08:00:00"}));
    EXPECT_EQ(several("0 */20 * * * ?", "2026-11-21 00:00:00", 3),
              (Times{"2026-11-21 00:20:00", "2026-11-21 00:40:00", "2026-11-21 01:00:00"}));
    EXPECT_EQ(next("0 0 0 ? NOV-FEB L", "2026-11-21 00:00:00"), "2026-11-28 00:00:00") << "L alone is Saturday";
}

TEST_F(Cron, DaysNearestToWorkingDays) {
    // 2026-08-15 is a Saturday, 2026-11-15 a Sunday, 2026-08-01 a Saturday, 2026-05-31 a Sunday.
    EXPECT_EQ(next("0 0 0 15W 8 ?", "2026-01-01 00:00:00"), "2026-08-14 00:00:00");
    EXPECT_EQ(next("0 0 0 15W 11 ?", "2026-01-01 00:00:00"), "2026-11-16 00:00:00");
    EXPECT_EQ(next("0 0 0 1W 8 ?", "2026-01-01 00:00:00"), "2026-08-03 00:00:00") << "never in the month before";
    EXPECT_EQ(next("0 0 0 31W 5 ?", "2026-01-01 00:00:00"), "2026-05-29 00:00:00") << "never in the month after";
    EXPECT_EQ(next("0 0 0 LW 5 ?", "2026-01-01 00:00:00"), "2026-05-29 00:00:00");
    EXPECT_EQ(next("0 0 0 L-1W 5 ?", "2026-01-01 00:00:00"), "2026-05-29 00:00:00");
    EXPECT_EQ(next("0 0 0 31W * ?", "2026-04-01 00:00:00"), "2026-05-29 00:00:00") << "April has no 31st";
}

TEST_F(Cron, RareDaysAreFound) {
    EXPECT_EQ(next("0 0 0 29 2 ?", "2026-11-21 00:00:00"), "2028-02-29 00:00:00");
    EXPECT_EQ(next("0 0 0 29 2 ?", "2096-03-01 00:00:00"), "2104-02-29 00:00:00") << "2100 is no leap year";
    EXPECT_EQ(next("0 0 0 L 2 ?", "2027-12-01 00:00:00"), "2028-02-29 00:00:00");
    EXPECT_EQ(next("0 0 0 ? 2 7#5", "2026-01-01 00:00:00"), "2048-02-29 00:00:00");
    EXPECT_EQ(next("0 0 0 30 2 ?", "2026-01-01 00:00:00"), "never");
    EXPECT_EQ(next("0 0 0 L-30 2 ?", "2026-01-01 00:00:00"), "never");
    EXPECT_EQ(next("0 0 0 1 1 ? 2199", "2026-01-01 00:00:00"), "2199-01-01 00:00:00");
}

TEST_F(Cron, EveryFridayThe13thIsNotForQuartz) {
    EXPECT_NE(refusal("0 0 0 13 * FRI").find("?"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 ? * ?").find("?"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 * * *").find("?"), std::string::npos);
}

TEST_F(Cron, WhatIsWrongIsNamed) {
    EXPECT_NE(refusal("* * * * *").find("5 fields"), std::string::npos);
    EXPECT_NE(refusal("").find("0 fields"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 1 1 ? 2030 7").find("8 fields"), std::string::npos);
    EXPECT_NE(refusal("60 0 0 1 1 ?").find("seconds \"60\" must be from 0 to 59"), std::string::npos);
    EXPECT_NE(refusal("0 60 0 1 1 ?").find("minutes"), std::string::npos);
    EXPECT_NE(refusal("0 0 24 1 1 ?").find("hours"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 32 1 ?").find("day of month"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 0 1 ?").find("day of month"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 1 13 ?").find("month"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 ? * 8").find("day of week"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 ? * 0").find("day of week"), std::string::npos);
    for (const char* wrong :
         {"0 0 0 ? * MONDAY", "0 0 0 ? * FRI#6", "0 0 0 ? * FRI#",   "0 0 0 ? * #2",     "0 0 0 ? * XL",
          "0 0 0 L-31 * ?",   "0 0 0 L3 * ?",    "0 0 0 W * ?",      "0 0 0 1,LW * ?",   "0 0 0 32W * ?",
          "0 0,, 0 1 * ?",    "0 0/0 0 1 * ?",   "0 0/x 0 1 * ?",    "0 1- 0 1 * ?",     "0 -1 0 1 * ?",
          "0 1-2-3 0 1 * ?",  "0 ? 0 1 * ?",     "0 0 0 1 * ? 1969", "0 0 0 1 * ? 2200", "0 0 0 1 * ? 2030-2029",
          "0 0/99 0 1 * ?",   "@daily",          "0 0 0 1 FOO ?",    "0 1.5 0 1 * ?"})
        refusal(wrong);
}

TEST_F(Cron, ATimeInTheGapIsKeptRightAfterIt) {
    in(new_york);  // 2026-03-08 02:00 -> 03:00
    EXPECT_EQ(several("0 30 2 * * ?", "2026-03-06 12:00:00", 3),
              (Times{"2026-03-07 02:30:00", "2026-03-08 03:00:00", "2026-03-09 02:30:00"}));
    EXPECT_EQ(several("0 0/20 2 * * ?", "2026-03-08 00:00:00", 2), (Times{"2026-03-08 03:00:00", "2026-03-09 02:00:00"}))
        << "once";
    EXPECT_EQ(several("0 0 2,3 * * ?", "2026-03-08 00:00:00", 2), (Times{"2026-03-08 03:00:00", "2026-03-09 02:00:00"}));
    in(havana);  // 2026-03-08 00:00 -> 01:00
    EXPECT_EQ(several("0 0 0 * * ?", "2026-03-07 12:00:00", 2), (Times{"2026-03-08 01:00:00", "2026-03-09 00:00:00"}));
    EXPECT_EQ(next("0 30 23 * * ?", "2026-03-07 12:00:00"), "2026-03-07 23:30:00");
    in(lord_howe);  // 2026-10-04 02:00 -> 02:30
    EXPECT_EQ(several("0 15 2 * * ?", "2026-10-03 12:00:00", 2), (Times{"2026-10-04 02:30:00", "2026-10-05 02:15:00"}));
}

TEST_F(Cron, ATimeThatComesTwiceIsKeptOnce) {
    in(new_york);  // 2026-11-01 02:00 -> 01:00
    const CronExpression half_past_one("0 30 1 * * ?");
    const auto first = half_past_one.next(at("2026-10-31 12:00:00"));
    EXPECT_EQ(shown(first), "2026-11-01 01:30:00");
    EXPECT_EQ(shown(half_past_one.next(*first)), "2026-11-02 01:30:00");
    EXPECT_EQ(*half_past_one.next(*first) - *first, std::chrono::hours(25));
    in(lord_howe);  // 2026-04-05 02:00 -> 01:30
    EXPECT_EQ(several("0 45 1 * * ?", "2026-04-04 12:00:00", 2), (Times{"2026-04-05 01:45:00", "2026-04-06 01:45:00"}));
}

TEST_F(Cron, EveryHourIsEveryHourThatPasses) {
    in(berlin);  // 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00
    const CronExpression hourly("0 0 * * * ?");
    for (const char* day : {"2026-03-28 12:00:00", "2026-10-24 12:00:00"}) {
        Time time = at(day);
        for (int i = 0; i < 40; ++i) {
            const auto later = hourly.next(time);
            ASSERT_TRUE(later);
            EXPECT_EQ(*later - time, std::chrono::hours(1)) << shown(later);
            time = *later;
        }
    }
    const CronExpression quarters("0 0/15 * * * ?");
    Time time = at("2026-10-25 00:00:00");
    for (int i = 0; i < 25 * 4; ++i) {
        const auto later = quarters.next(time);
        ASSERT_TRUE(later);
        EXPECT_EQ(*later - time, std::chrono::minutes(15)) << shown(later);
        time = *later;
    }
    EXPECT_EQ(shown(time), "2026-10-26 00:00:00");
}

// Against a slow and simple reading: every second of a week is asked whether it fits.
TEST_F(Cron, AgreesWithASearchSecondBySecond) {
    const auto fits = [](std::time_t t) {
        std::tm l{};
        localtime_r(&t, &l);
        return l.tm_sec % 15 == 7 && l.tm_min % 7 == 3 && l.tm_hour >= 6 && l.tm_hour <= 9 && l.tm_wday >= 1 &&
               l.tm_wday <= 5;
    };
    in(berlin);
    const CronExpression cron("7/15 3/7 6-9 ? * MON-FRI");
    std::time_t t = to_unix_ms(at("2026-10-23 05:00:00")) / 1000;
    const std::time_t end = t + 4 * 86400;
    Time time = Time(seconds(t));
    int found = 0;
    for (++t; t < end; ++t) {
        if (!fits(t)) continue;
        const auto next_one = cron.next(time);
        ASSERT_TRUE(next_one);
        ASSERT_EQ(to_unix_ms(*next_one) / 1000, t) << shown(next_one);
        time = *next_one;
        ++found;
    }
    EXPECT_GT(found, 200);
}

TEST_F(Cron, IsQuickEvenWhereItSearchesFar) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(next("0 0 0 30 2 ?", "1970-01-02 00:00:00"), "never");
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
}

}  // namespace
}  // namespace hvagent::operations
