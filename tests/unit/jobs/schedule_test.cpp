#include "agent/jobs/schedule.h"

#include <gtest/gtest.h>

#include <memory>

namespace hvagent::jobs {
namespace {

Schedule::Ticket ticket(JobClass kind, std::vector<std::string> queues) {
    Schedule::Ticket made;
    made.kind = kind;
    made.queues = std::move(queues);
    return made;
}

TEST(JobSchedule, AHeldTicketKeepsItsPlace) {
    Schedule schedule({8, 8, 2, 2});
    auto first = ticket(JobClass::quick, {"vm"});
    auto second = ticket(JobClass::quick, {"vm"});
    schedule.add(first);
    schedule.add(second);
    schedule.release(second);
    EXPECT_EQ(schedule.take(), nullptr);
    schedule.release(first);
    EXPECT_EQ(schedule.take(), &first);
    EXPECT_EQ(schedule.take(), nullptr);
    schedule.remove(first);
    EXPECT_EQ(schedule.take(), &second);
    schedule.remove(second);
    EXPECT_EQ(schedule.waiting(), 0u);
    EXPECT_EQ(schedule.running(), 0u);
}

TEST(JobSchedule, ATicketThatIsHeldAgainIsNotTaken) {
    Schedule schedule({8, 8, 2, 2});
    auto one = ticket(JobClass::quick, {"vm"});
    schedule.add(one);
    schedule.release(one);
    schedule.hold(one);
    EXPECT_EQ(schedule.take(), nullptr);
    schedule.release(one);
    EXPECT_EQ(schedule.take(), &one);
}

TEST(JobSchedule, RemovingFromTheMiddleFreesNobodyTooEarly) {
    Schedule schedule({8, 8, 2, 2});
    auto first = ticket(JobClass::quick, {"a"});
    auto middle = ticket(JobClass::quick, {"a", "b"});
    auto last = ticket(JobClass::quick, {"a", "b"});
    for (auto* one : {&first, &middle, &last}) {
        schedule.add(*one);
        schedule.release(*one);
    }
    EXPECT_EQ(schedule.take(), &first);
    schedule.remove(middle);
    EXPECT_EQ(schedule.take(), nullptr);
    schedule.remove(first);
    EXPECT_EQ(schedule.take(), &last);
}

TEST(JobSchedule, ClassesTakeTurnsWithinTheirLimits) {
    Schedule schedule({2, 8, 1, 2});
    std::vector<std::unique_ptr<Schedule::Ticket>> tickets;
    for (JobClass kind : {JobClass::quick, JobClass::copy})
        for (int i = 0; i < 3; ++i) {
            tickets.push_back(std::make_unique<Schedule::Ticket>(ticket(kind, {})));
            schedule.add(*tickets.back());
            schedule.release(*tickets.back());
        }
    EXPECT_EQ(schedule.take(), tickets[0].get());
    EXPECT_EQ(schedule.take(), tickets[3].get());
    EXPECT_EQ(schedule.take(), tickets[1].get());
    EXPECT_EQ(schedule.take(), nullptr);
    schedule.remove(*tickets[3]);
    EXPECT_EQ(schedule.take(), tickets[4].get());
    EXPECT_EQ(schedule.waiting(), 2u);
    EXPECT_EQ(schedule.running(), 3u);
}

}  // namespace
}  // namespace hvagent::jobs
