#include "agent/operations/migration/verdict.h"

#include <gtest/gtest.h>

namespace hvagent::operations {
namespace {

MigrationTruth seen(VmState state, const std::string& reason) {
    MigrationTruth truth;
    truth.state = state;
    truth.reason = reason;
    truth.defined = true;
    truth.active = state == VmState::running || state == VmState::paused;
    return truth;
}

const MigrationTruth running = seen(VmState::running, "booted");
const MigrationTruth left_paused = seen(VmState::paused, "migration");
const MigrationTruth paused_by_user = seen(VmState::paused, "user");
const MigrationTruth crashed = seen(VmState::crashed, "crashed");
const MigrationTruth half = seen(VmState::paused, "post-copy migration failed");
const MigrationTruth sending = seen(VmState::paused, "post-copy migration");
const MigrationTruth other_half = seen(VmState::running, "post-copy migration");
const MigrationTruth absent{};

MigrationTruth handed_over() {
    MigrationTruth truth = seen(VmState::stopped, "migrated");
    truth.defined = false;
    return truth;
}

MigrationTruth arriving() {
    MigrationTruth truth = seen(VmState::paused, "migration");
    truth.migrating_in = true;
    return truth;
}

MigrationTruth departing(const MigrationTruth& now) {
    MigrationTruth truth = now;
    truth.migrating_out = true;
    return truth;
}

struct Case {
    const char* name;
    std::optional<MigrationTruth> here, there;
    bool was_paused;
    Verdict verdict;
};

class VerdictOf : public testing::TestWithParam<Case> {};

TEST_P(VerdictOf, WhatBothEndsShow) {
    const Case& one = GetParam();
    const Judgement judgement = judge(one.here, one.there, one.was_paused);
    EXPECT_EQ(judgement.verdict, one.verdict) << judgement.reason;
    EXPECT_FALSE(judgement.reason.empty());
}

const std::optional<MigrationTruth> silent;

INSTANTIATE_TEST_SUITE_P(
    All, VerdictOf,
    testing::Values(Case{"SourceSilent", silent, running, false, Verdict::wait},
                    Case{"GoesOn", departing(running), arriving(), false, Verdict::wait},
                    Case{"GoesOnWhilePaused", departing(left_paused), running, false, Verdict::wait},
                    Case{"RunsHereOnly", running, absent, false, Verdict::stayed},
                    Case{"RunsHereAndDestinationSilent", running, silent, false, Verdict::stayed},
                    Case{"RunsHereAndDestinationNotThrough", running, arriving(), false, Verdict::stayed},
                    Case{"RunsAtBothEnds", running, running, false, Verdict::stayed},
                    Case{"HandedOverAndRunning", handed_over(), running, false, Verdict::moved},
                    Case{"HandedOverAndLeftPaused", handed_over(), left_paused, false, Verdict::moved},
                    Case{"HandedOverAndOffSince", handed_over(), absent, false, Verdict::moved},
                    Case{"HandedOverAndDestinationSilent", handed_over(), silent, false, Verdict::wait},
                    Case{"GoneAndRunningThere", absent, running, false, Verdict::moved},
                    Case{"CrashedHereAndNeverThere", crashed, absent, false, Verdict::stayed},
                    Case{"CrashedHereAndDestinationSilent", crashed, silent, false, Verdict::wait},
                    Case{"CrashedHereAndRunningThere", crashed, running, false, Verdict::moved},
                    Case{"OffHereAndDestinationNotThrough", handed_over(), arriving(), false, Verdict::wait},
                    Case{"LeftPausedHereAndAbsentThere", left_paused, absent, false, Verdict::stayed},
                    Case{"LeftPausedHereAndRunningThere", left_paused, running, false, Verdict::moved},
                    Case{"LeftPausedHereAndDestinationSilent", left_paused, silent, false, Verdict::wait},
                    Case{"LeftPausedHereAndDestinationNotThrough", left_paused, arriving(), false, Verdict::wait},
                    Case{"LeftPausedAtBothEnds", left_paused, left_paused, false, Verdict::stayed},
                    Case{"UsersPauseStays", paused_by_user, absent, true, Verdict::stayed},
                    Case{"UsersPauseAndDestinationSilent", paused_by_user, silent, true, Verdict::stayed},
                    Case{"UsersPauseMoved", handed_over(), paused_by_user, true, Verdict::moved},
                    Case{"PostCopyBroken", half, half, false, Verdict::wait},
                    Case{"PostCopyBrokenAndDestinationGone", half, absent, false, Verdict::wait},
                    Case{"PostCopyBrokenAndRunningOnThatHalf", departing(half), other_half, false, Verdict::wait},
                    Case{"PostCopyGoesOnAgain", departing(sending), other_half, false, Verdict::wait},
                    Case{"PostCopyGoesOnWithoutAJobToBeSeen", sending, other_half, false, Verdict::wait},
                    Case{"PostCopyThrough", half, running, false, Verdict::moved}),
    [](const auto& one) { return one.param.name; });

TEST(PostCopy, IsResumedWhenItBrokeOffAndWaitedForWhileItGoesOn) {
    const auto at = [](const MigrationTruth& here) { return judge(here, other_half, false); };
    EXPECT_TRUE(at(departing(half)).broke_off);
    EXPECT_FALSE(at(departing(half)).goes_on);
    EXPECT_TRUE(at(departing(sending)).goes_on);
    EXPECT_FALSE(at(departing(sending)).broke_off);
    EXPECT_FALSE(judge(half, silent, false).broke_off) << "there is nobody to send it to";
}

TEST(Truth, TravelsWhole) {
    const MigrationTruth sent = departing(half);
    const MigrationTruth got = truth_from_json(to_json(sent));
    EXPECT_EQ(got.state, sent.state);
    EXPECT_EQ(got.reason, sent.reason);
    EXPECT_TRUE(got.defined && got.active && got.migrating_out);
    EXPECT_FALSE(got.migrating_in);
}

}  // namespace
}  // namespace hvagent::operations
