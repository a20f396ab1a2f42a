#include "agent/operations/migration/convergence.h"

#include <gmock/gmock.h>

namespace hvagent::operations {
namespace {

using ::testing::HasSubstr;
using What = MigrationOrder::What;

// A guest of 1 GiB whose memory goes out at 100 MiB/s; each pass leaves what it is told.
class Passes {
public:
    explicit Passes(const MigrationOptions& options)
        : judge(options, [this](int percent, const std::string& text) {
              percents.push_back(percent);
              texts.push_back(text);
          }) {
        sight.phase = MigrationPhase::copying_memory;
        sight.memory_total = GiB;
        sight.bytes_per_second = 100 * MiB;
        sight.dirtied_per_second = 60 * MiB;
    }
    MigrationOrder pass(Bytes remaining, int throttle = 0) {
        ++sight.iteration;
        sight.new_iteration = true;
        sight.memory_remaining = remaining;
        sight.throttle_percent = throttle;
        return look();
    }
    // Within the pass.
    MigrationOrder sample(Bytes remaining) {
        sight.new_iteration = false;
        sight.memory_remaining = remaining;
        return look();
    }
    MigrationOrder look() {
        sight.elapsed += milliseconds(500);
        sight.memory_done += 50 * MiB;
        return judge.judge(sight);
    }
    // Passes that leave the same until an order is not about the downtime.
    MigrationOrder get_stuck(Bytes remaining) {
        for (int i = 0; i < 40; ++i)
            if (MigrationOrder order = pass(remaining); order.what != What::go_on && order.what != What::set_max_downtime)
                return order;
        return {};
    }

    MigrationSight sight;
    std::vector<int> percents;
    std::vector<std::string> texts;
    Convergence judge;
};

MigrationOptions options_of(WhenStuck way) {
    MigrationOptions options;
    options.max_downtime = milliseconds(1000);
    options.when_stuck = way;
    return options;
}

TEST(Convergence, AnEasyGuestIsLeftAlone) {
    Passes passes(options_of(WhenStuck::abort));
    EXPECT_EQ(passes.pass(GiB).what, What::go_on);
    EXPECT_EQ(passes.sample(GiB / 2).what, What::go_on);
    EXPECT_EQ(passes.sample(0).what, What::go_on);
}

TEST(Convergence, TheDowntimeClimbsWithThePassesUpToTheLongest) {
    Passes passes(options_of(WhenStuck::abort));
    passes.pass(GiB);
    milliseconds last = first_downtime(milliseconds(1000));
    EXPECT_EQ(last, milliseconds(100));
    for (int rung = 1; rung <= 6; ++rung) {
        const MigrationOrder order = passes.pass(GiB / (rung + 1));
        ASSERT_EQ(order.what, What::set_max_downtime) << rung;
        EXPECT_GT(order.max_downtime, last);
        last = order.max_downtime;
        EXPECT_EQ(passes.sample(GiB).what, What::go_on) << "samples within a pass say nothing";
    }
    EXPECT_EQ(last, milliseconds(1000));
    EXPECT_EQ(passes.pass(GiB / 100).what, What::go_on);
}

TEST(Convergence, WithoutGainTheLongestDowntimeIsAllowedAtOnce) {
    Passes passes(options_of(WhenStuck::abort));
    passes.pass(GiB);
    for (int i = 0; i < 3; ++i) passes.pass(500 * MiB);
    const MigrationOrder order = passes.pass(500 * MiB);
    EXPECT_EQ(order.what, What::set_max_downtime);
    EXPECT_EQ(order.max_downtime, milliseconds(1000));
}

TEST(Convergence, AStuckMoveIsAbortedWithFigures) {
    Passes passes(options_of(WhenStuck::abort));
    passes.pass(GiB);
    const MigrationOrder order = passes.get_stuck(500 * MiB);
    EXPECT_EQ(order.what, What::abort);
    EXPECT_THAT(order.reason, HasSubstr("passes brought no gain"));
    EXPECT_THAT(order.reason, HasSubstr("500"));
    EXPECT_THAT(order.reason, HasSubstr("dirtied 60"));
}

TEST(Convergence, ASawToothThatSinksIsNoStandstill) {
    Passes passes(options_of(WhenStuck::abort));
    passes.pass(GiB);
    for (int i = 0; i < 30; ++i) {
        EXPECT_NE(passes.pass((900 - 25 * i) * MiB).what, What::abort);
        EXPECT_NE(passes.pass((950 - 25 * i) * MiB).what, What::abort);
    }
}

TEST(Convergence, AGuestThatIsSlowedDownGetsItsChance) {
    Passes passes(options_of(WhenStuck::abort));
    passes.pass(GiB);
    for (int throttle = 20; throttle <= 90; throttle += 10)
        for (int i = 0; i < 5; ++i) EXPECT_NE(passes.pass(500 * MiB, throttle).what, What::abort) << throttle;
}

TEST(Convergence, AShortPauseIsOrderedAndALongOneIsNot) {
    MigrationOptions options = options_of(WhenStuck::pause);
    options.max_pause = seconds(6);
    Passes brief(options);
    brief.pass(GiB);
    const MigrationOrder pause = brief.get_stuck(500 * MiB);
    EXPECT_EQ(pause.what, What::pause_guest);
    EXPECT_THAT(pause.reason, HasSubstr("5.0 s"));
    EXPECT_EQ(brief.pass(500 * MiB).what, What::go_on) << "once";

    options.max_pause = seconds(4);
    Passes lengthy(options);
    lengthy.pass(GiB);
    const MigrationOrder refused = lengthy.get_stuck(500 * MiB);
    EXPECT_EQ(refused.what, What::abort);
    EXPECT_THAT(refused.reason, HasSubstr("a pause of 5.0 s is longer than 4.0 s"));
}

TEST(Convergence, PostCopyIsOrderedAndThenLeftAlone) {
    Passes passes(options_of(WhenStuck::post_copy));
    passes.pass(GiB);
    EXPECT_EQ(passes.get_stuck(500 * MiB).what, What::start_post_copy);
    passes.sight.phase = MigrationPhase::post_copy;
    passes.sight.elapsed += std::chrono::hours(2);
    EXPECT_EQ(passes.look().what, What::go_on);
    EXPECT_THAT(passes.texts.back(), HasSubstr("the guest runs at the destination"));
}

TEST(Convergence, PostCopyThatDoesNotBeginEndsInAnAbort) {
    Passes passes(options_of(WhenStuck::post_copy));
    passes.pass(GiB);
    passes.get_stuck(500 * MiB);
    passes.sight.elapsed += seconds(31);
    EXPECT_EQ(passes.look().what, What::abort);
}

TEST(Convergence, TimeIsUpByTheSizeOfWhatIsMoved) {
    MigrationOptions options = options_of(WhenStuck::pause);
    options.timeout_per_gib = seconds(100);
    options.max_pause = seconds(20);
    Passes passes(options);
    passes.pass(GiB);
    passes.sight.elapsed = seconds(99);
    EXPECT_EQ(passes.sample(300 * MiB).what, What::go_on);
    passes.sight.elapsed = seconds(101);
    EXPECT_EQ(passes.sample(300 * MiB).what, What::pause_guest);
}

TEST(Convergence, DisksThatTakeTooLongAreAborted) {
    MigrationOptions options = options_of(WhenStuck::pause);
    options.timeout_per_gib = seconds(100);
    Convergence judge(options);
    MigrationSight sight;
    sight.phase = MigrationPhase::copying_disks;
    sight.disk_total = GiB;
    for (int s = 0; s <= 100; ++s) {
        sight.elapsed = seconds(s);
        sight.disk_done += MiB;
        EXPECT_EQ(judge.judge(sight).what, What::go_on);
    }
    sight.elapsed = seconds(101);
    const MigrationOrder order = judge.judge(sight);
    EXPECT_EQ(order.what, What::abort);
    EXPECT_THAT(order.reason, HasSubstr("disks: "));
}

TEST(Convergence, WhatStandsStillIsAborted) {
    Passes passes(options_of(WhenStuck::pause));
    passes.pass(GiB);
    passes.sight.elapsed += seconds(61);
    passes.sight.new_iteration = false;
    const MigrationOrder order = passes.judge.judge(passes.sight);
    EXPECT_EQ(order.what, What::abort);
    EXPECT_THAT(order.reason, HasSubstr("nothing was sent"));
}

TEST(Convergence, WhatStandsStillWithoutAPeerIsAbortedSooner) {
    bool is_lost = false;
    int asked = 0;
    Convergence judge(options_of(WhenStuck::pause), {}, [&] {
        ++asked;
        return is_lost;
    });
    MigrationSight sight;
    sight.phase = MigrationPhase::copying_disks;
    sight.disk_done = MiB;
    judge.judge(sight);
    sight.elapsed = seconds(9);
    EXPECT_EQ(judge.judge(sight).what, What::go_on);
    EXPECT_EQ(asked, 0) << "asked for nothing";
    sight.elapsed = seconds(11);
    EXPECT_EQ(judge.judge(sight).what, What::go_on);
    is_lost = true;
    const MigrationOrder order = judge.judge(sight);
    EXPECT_EQ(order.what, What::abort);
    EXPECT_THAT(order.reason, HasSubstr("agent does not answer"));
    sight.disk_done = 2 * MiB;
    EXPECT_EQ(judge.judge(sight).what, What::go_on) << "it moves";
}

TEST(Convergence, ProgressNeverGoesBack) {
    Passes passes(options_of(WhenStuck::abort));
    for (Bytes remaining : {1000, 600, 200, 900, 400, 50, 700, 0}) passes.sample(remaining * MiB);
    EXPECT_TRUE(std::is_sorted(passes.percents.begin(), passes.percents.end()));
    EXPECT_EQ(passes.percents.back(), 99);
}

TEST(Convergence, ProgressSaysWhatIsLeft) {
    MigrationSight sight;
    sight.phase = MigrationPhase::copying_memory;
    sight.iteration = 3;
    sight.memory_total = 256 * MiB;
    sight.memory_remaining = 12 * MiB;
    sight.bytes_per_second = 40 * MiB;
    sight.dirtied_per_second = 37 * MiB;
    const std::string text = progress_text(sight);
    EXPECT_THAT(text, HasSubstr("pass 3"));
    EXPECT_THAT(text, HasSubstr("about 4.0 s left"));
    sight.dirtied_per_second = 50 * MiB;
    EXPECT_THAT(progress_text(sight), HasSubstr("no end in sight"));
}

}  // namespace
}  // namespace hvagent::operations
