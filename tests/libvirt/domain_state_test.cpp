// Every state, reason and event of libvirt has a meaning here.
#include "drivers/libvirt/domain_state.h"

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

namespace hvagent::libvirt {

// Names in failures.
void PrintTo(const StateAndReason& seen, std::ostream* out) {
    *out << to_text(seen.state) << "/" << seen.reason;
}

namespace {

StateAndReason pair(VmState state, const char* reason) {
    return {state, reason};
}

TEST(DomainState, ShowsWhyAVmIsPaused) {
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER), pair(VmState::paused, "user"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR), pair(VmState::paused, "I/O error"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG), pair(VmState::paused, "watchdog"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION), pair(VmState::paused, "migration"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP), pair(VmState::paused, "starting up"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED), pair(VmState::crashed, "guest panicked"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PMSUSPENDED, 0), pair(VmState::paused, "guest sleeps"));
}

TEST(DomainState, TellsACrashFromAStop) {
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN), pair(VmState::stopped, "shutdown"));
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED), pair(VmState::stopped, "destroyed"));
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED), pair(VmState::crashed, "crashed"));
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DAEMON), pair(VmState::crashed, "daemon"));
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED), pair(VmState::stopped, "failed to start"));
    EXPECT_EQ(state_of(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED), pair(VmState::crashed, "guest panicked"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED), pair(VmState::crashed, "crashed"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED), pair(VmState::crashed, "crashed"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED),
              pair(VmState::stopped, "destroyed"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN), pair(VmState::stopped, "shutdown"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED), pair(VmState::stopped, "migrated"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED),
              pair(VmState::crashed, "guest panicked"));
}

TEST(DomainState, CountsAVmThatShutsDownAsRunningUntilItIsOff) {
    EXPECT_EQ(state_of(VIR_DOMAIN_SHUTDOWN, 0), pair(VmState::running, "shutting down"));
    EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN), pair(VmState::running, "shutting down"));
    EXPECT_EQ(state_after(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST),
              pair(VmState::running, "shutting down"));
}

TEST(DomainState, NeverGuessesOffWhereLibvirtSaysNothing) {
    EXPECT_EQ(state_of(VIR_DOMAIN_NOSTATE, 0).state, VmState::no_state);
    EXPECT_EQ(state_of(4711, 0).state, VmState::no_state);
}

TEST(DomainState, GivesEveryReasonAWord) {
    const std::pair<int, int> states[] = {{VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY},
                                          {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED},
                                          {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DAEMON}};
    for (const auto& [state, last] : states)
        for (int reason = 1; reason <= last; ++reason) {
            EXPECT_NE(state_of(state, reason).reason, "unknown") << state << "/" << reason;
            EXPECT_NE(state_of(state, reason).state, VmState::no_state) << state << "/" << reason;
        }
    const std::pair<int, int> events[] = {{VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP},
                                          {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED},
                                          {VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY},
                                          {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT}};
    for (const auto& [event, last] : events)
        for (int detail = 0; detail <= last; ++detail) {
            ASSERT_TRUE(state_after(event, detail)) << event << "/" << detail;
            EXPECT_NE(state_after(event, detail)->reason, "unknown") << event << "/" << detail;
        }
}

TEST(DomainState, ADefinitionChangesNoState) {
    EXPECT_FALSE(state_after(VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_ADDED));
    EXPECT_FALSE(state_after(VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED));
}

}  // namespace
}  // namespace hvagent::libvirt
