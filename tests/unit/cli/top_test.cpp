#include "agent/cli/top.h"

#include <gtest/gtest.h>

namespace hvagent::cli {
namespace {

json figures(std::int64_t at_ms, std::uint64_t cpu_ms, std::uint64_t read) {
    return {
        {"collectedAt", at_ms},
        {"vms",
         {{{"uuid", "a"}, {"name", "calm"}, {"state", "Running"}, {"vcpus", 1}, {"memory", 1048576}, {"cpuNanoseconds", 0}},
          {{"uuid", "b"},
           {"name", "busy"},
           {"state", "Running"},
           {"vcpus", 2},
           {"memory", 2147483648},
           {"cpuNanoseconds", cpu_ms * 1000000},
           {"diskReadBytes", read}}}}};
}

TEST(TopRates, ComeFromTwoSamplesTheBusiestFirst) {
    TopRates rates;
    EXPECT_FALSE(rates.rows(figures(1000, 0, 0))[0].contains("cpuPercent"));
    EXPECT_FALSE(rates.has_rates());
    const json rows = rates.rows(figures(3000, 3000, 4096));
    ASSERT_TRUE(rates.has_rates());
    EXPECT_EQ(rows[0]["name"], "busy");
    EXPECT_DOUBLE_EQ(rows[0]["cpuPercent"].get<double>(), 150);
    EXPECT_DOUBLE_EQ(rows[0]["diskReadRate"].get<double>(), 2048);
    EXPECT_DOUBLE_EQ(rows[1]["cpuPercent"].get<double>(), 0);
}

TEST(TopRates, TheSameSampleAgainSaysNothingNew) {
    TopRates rates;
    rates.rows(figures(1000, 0, 0));
    const json rows = rates.rows(figures(6000, 5000, 0));
    EXPECT_EQ(rates.rows(figures(6001, 5000, 0)), rows);
}

TEST(TopRates, ACounterThatWentBackIsOfANewLife) {
    TopRates rates;
    rates.rows(figures(1000, 9000, 0));
    const json rows = rates.rows(figures(2000, 10, 0));
    for (const json& row : rows) EXPECT_TRUE(row["name"] != "busy" || !row.contains("cpuPercent"));
}

TEST(TopRates, AreShownInUnits) {
    TopRates rates;
    rates.rows(figures(1000, 0, 0));
    const json shown = shown_rows(rates.rows(figures(2000, 500, 3 << 20)));
    EXPECT_EQ(shown[0]["cpu%"], "50.0");
    EXPECT_EQ(shown[0]["memory"], "2.0 GiB");
    EXPECT_EQ(shown[0]["read"], "3.0 MiB/s");
    EXPECT_EQ(shown[1]["read"], "-");
}

}  // namespace
}  // namespace hvagent::cli
