#include "agent/reports/report_log.h"

#include "tests/unit/reports/reports_fixture.h"

namespace hvagent::reports {
namespace {

class Log : public testing::Test {
protected:
    std::vector<Report> after(ReportLog& log, std::int64_t position) {
        std::vector<Report> found;
        database.read([&](SqlSession& session) { found = log.after(session, position, 1000); });
        return found;
    }
    bool reaches(ReportLog& log, std::int64_t position) {
        bool does = false;
        database.read([&](SqlSession& session) { does = log.reaches(session, position); });
        return does;
    }
    MovableClock clock;
    SqliteDatabase database{":memory:"};
};

TEST_F(Log, CountsFromOneInEachLifeOfTheAgent) {
    ReportLog first(database, clock, {});
    first.open();
    first.append(vm_states, json::array({1}));
    first.append(vm_states, json::array({2}));
    ReportLog second(database, clock, {});
    second.open();
    second.append(host_events, json::array({3}));
    const auto all = after(second, 0);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[1].id(), first.boot() + "-2");
    EXPECT_EQ(all[2].id(), second.boot() + "-1");
    EXPECT_NE(first.boot(), second.boot());
    EXPECT_EQ(second.sequence_at(all[2].position), 1);
    EXPECT_EQ(second.sequence_at(all[1].position), 0);
}

TEST_F(Log, WhatIsRolledBackLeavesNoGap) {
    ReportLog log(database, clock, {});
    log.open();
    log.append(vm_states, json::array());
    EXPECT_THROW(database.write(Durability::lazy,
                                [&](SqlSession& session) {
                                    log.append(session, vm_states, json::array());
                                    throw Error(Code::internal, "no");
                                }),
                 Error);
    log.append(vm_states, json::array());
    EXPECT_EQ(after(log, 0).back().sequence, 2);
}

TEST_F(Log, OldReportsMakeRoomAndThatIsSeen) {
    ReportLog log(database, clock, {.most_reports = 20, .most_bytes = 1 << 20});
    log.open();
    for (int i = 0; i < 100; ++i) log.append(vm_states, json::array({i}));
    const auto kept = after(log, 0);
    EXPECT_LE(kept.size(), 20u);
    EXPECT_GE(kept.size(), 10u);
    EXPECT_EQ(kept.back().sequence, 100);
    EXPECT_FALSE(reaches(log, kept.front().position - 2));
    EXPECT_TRUE(reaches(log, kept.front().position - 1));
}

TEST_F(Log, LargeReportsMakeRoomToo) {
    ReportLog log(database, clock, {.most_reports = 1000, .most_bytes = 100000});
    log.open();
    for (int i = 0; i < 50; ++i) log.append(job_results, json::array({std::string(10000, 'x')}));
    EXPECT_LE(after(log, 0).size(), 11u);
    EXPECT_EQ(after(log, 0).back().sequence, 50);
}

TEST_F(Log, FindsAReportOfAnEarlierLife) {
    ReportLog first(database, clock, {});
    first.open();
    first.append(vm_states, json::array({1}));
    ReportLog second(database, clock, {});
    second.open();
    database.read([&](SqlSession& session) {
        EXPECT_EQ(second.position_of(session, first.boot(), 1), 1);
        EXPECT_FALSE(second.position_of(session, first.boot(), 2));
        EXPECT_FALSE(second.position_of(session, make_uuid(), 1));
    });
}

TEST_F(Log, TimesAreUtcWithMilliseconds) {
    EXPECT_EQ(iso_time(from_unix_ms(1700000000007)), "2023-11-14T22:13:20.007Z");
}

}  // namespace
}  // namespace hvagent::reports
