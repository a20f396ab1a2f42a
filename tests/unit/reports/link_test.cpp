#include "tests/unit/reports/reports_fixture.h"

namespace hvagent::reports {
namespace {

using Links = ReportsTest;

bool is_kind(const json& body, const char* kind) {
    return body["kind"] == kind;
}

TEST_F(Links, ANewControllerGetsTheWholePictureThenEachChange) {
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "hostConnect") && tells(body, vm, "Stopped"); }));
    observe(vm, VmState::running, "booted");
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "vmStates") && tells(body, vm, "Running"); }));
    const json change = bodies().back();
    EXPECT_EQ(change["vms"][0]["previousState"], "Stopped");
    EXPECT_EQ(change["vms"][0]["reason"], "booted");
    EXPECT_EQ(change["vms"][0]["source"], "libvirt");
    EXPECT_EQ(change["hostUuid"], host.str());
    EXPECT_EQ(change["firstSequence"], bodies().front()["sequence"].get<int>() + 1);
}

TEST_F(Links, AControllerThatIsDownGetsEverythingInOrderOnceItIsBack) {
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    const std::size_t before = bodies().size();
    http.answer(there, {500, ""});
    for (int i = 0; i < 20; ++i) observe(vm, i % 2 ? VmState::paused : VmState::running, std::to_string(i));
    ASSERT_TRUE(arrives([&](const json& body) { return tells(body, vm, "Paused"); }));
    http.answer(there, {200, ""});
    const auto got_all = [&] {
        // From the first report on, repetitions apart, in order and whole.
        std::vector<std::string> reasons;
        std::int64_t last = 0;
        const auto all = bodies();
        for (std::size_t i = before; i < all.size(); ++i)
            if (is_kind(all[i], "vmStates") && all[i]["sequence"] > last && all[i]["vms"].size() == 20) {
                last = all[i]["sequence"];
                for (const json& one : all[i]["vms"]) reasons.push_back(one["reason"]);
            }
        return reasons.size() == 20 && reasons.front() == "0" && reasons.back() == "19";
    };
    bool done = false;
    for (int i = 0; i < 1000 && !(done = got_all()); ++i) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_TRUE(done) << "one batch with all of them";
    EXPECT_TRUE(recovers());
}

TEST_F(Links, WhenTheLogOverflowsTheControllerGetsOnePictureThatSaysSo) {
    settings.bounds.most_reports = 20;
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    http.answer(there, {500, ""});
    for (int i = 0; i < 100; ++i) observe(vm, i % 2 ? VmState::paused : VmState::running, std::to_string(i));
    http.answer(there, {200, ""});
    ASSERT_TRUE(arrives([&](const json& body) { return body.value("lostReports", false) && tells(body, vm, "Paused"); }));
    ASSERT_TRUE(recovers());
    observe(vm, VmState::stopped, "shutdown");
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "vmStates") && tells(body, vm, "Stopped"); }));
    EXPECT_EQ(bodies().back()["firstSequence"], 101);
}

TEST_F(Links, AControllerAsksForASnapshotOrAReplay) {
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    observe(vm, VmState::running, "booted");
    ASSERT_TRUE(arrives([&](const json& body) { return tells(body, vm, "Running"); }));
    http.answer(there, {200, R"({"snapshot":true})"});
    observe(vm, VmState::paused, "user");
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "snapshot") && tells(body, vm, "Paused"); }));
    http.answer(there, {200, R"({"replayFrom":1})"});
    observe(vm, VmState::running, "resumed");
    ASSERT_TRUE(arrives([&](const json& body) {
        return is_kind(body, "vmStates") && body["firstSequence"] == 1 && tells(body, vm, "Paused");
    }));
    http.answer(there, {200, ""});
}

TEST_F(Links, ADeadControllerDelaysNobodyElse) {
    const std::string dead = "http://dead:1/";
    const VmId vm = add_vm();
    start().add_controller({{"url", dead}});
    http.answer(dead, {503, ""});
    reporter->add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    observe(vm, VmState::running, "booted");
    EXPECT_TRUE(arrives([&](const json& body) { return tells(body, vm, "Running"); }));
}

TEST_F(Links, WhatWasNotConfirmedIsToldByTheNextLifeUnderItsOldNumber) {
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    const std::string boot = bodies().front()["bootId"];
    http.answer(there, {500, ""});
    observe(vm, VmState::crashed, "crashed");
    ASSERT_TRUE(arrives([&](const json& body) { return tells(body, vm, "Crashed"); }));
    reporter.reset();
    http.answer(there, {200, ""});
    const std::size_t before = bodies().size();
    start();
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "hostConnect") && body["bootId"] != boot; }));
    const auto all = bodies();
    EXPECT_EQ(all[before]["bootId"], boot);
    EXPECT_TRUE(tells(all[before], vm, "Crashed"));
    EXPECT_TRUE(is_kind(all[before + 1], "hostConnect"));
}

TEST_F(Links, JobResultsGoToThoseWhoWantThemAndLeaveNoGapForOthers) {
    const std::string wants = "http://wants:1/";
    const VmId vm = add_vm();
    start().add_controller({{"url", there}});
    reporter->add_controller({{"url", wants}, {"jobResults", true}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }, wants));
    const std::int64_t last = bodies().back()["sequence"];
    database.write(Durability::lazy, [&](SqlSession& session) {
        reporter->log_job(session, {JobId::make(), "StopVmInstance", true, R"({"inventory":{}})", clock.now(), clock.now()});
    });
    reporter->news();
    ASSERT_TRUE(arrives([&](const json& body) { return is_kind(body, "jobResults"); }, wants));
    std::this_thread::sleep_for(milliseconds(20));  // the other link has passed over it by now
    observe(vm, VmState::running, "booted");
    ASSERT_TRUE(arrives([&](const json& body) { return tells(body, vm, "Running"); }));
    for (const json& body : bodies()) EXPECT_FALSE(is_kind(body, "jobResults"));
    EXPECT_EQ(bodies().back()["firstSequence"], last + 1);
    EXPECT_EQ(bodies().back()["sequence"], last + 2);
}

TEST_F(Links, TheTokenIsSentAndNeverShown) {
    start().add_controller({{"url", there}, {"token", "s3cret-token"}});
    ASSERT_TRUE(http.wait_for_posts(1));
    EXPECT_EQ(http.posts()[0].headers.at("Authorization"), "Bearer s3cret-token");
    EXPECT_EQ(reporter->list_controllers().dump().find("s3cret"), std::string::npos);
    EXPECT_TRUE(reporter->list_controllers()["inventories"][0]["hasToken"]);
}

TEST_F(Links, WrongControllersAreRefusedByName) {
    start();
    for (const json& body :
         {json{{"url", "ftp://x/"}}, json{{"url", "http://u:p@x/"}}, json{{"url", there}, {"dialect", "x"}},
          json{{"url", there}, {"color", "red"}}, json{{"url", there}, {"token", "a\nb"}}, json::array()})
        EXPECT_EQ(thrown_error([&] { reporter->add_controller(body); }).code(), Code::invalid_argument) << body;
    EXPECT_EQ(thrown_error([&] { reporter->remove_controller("nobody"); }).code(), Code::not_found);
    EXPECT_TRUE(reporter->list_controllers()["inventories"].empty());
}

TEST_F(Links, OneOfTheConfigurationIsNotRemovedAndForgottenWithTheConfiguration) {
    Controller configured;
    configured.url = there;
    settings.controllers.push_back(configured);
    start();
    EXPECT_EQ(thrown_error([&] { reporter->remove_controller(there); }).code(), Code::invalid_argument);
    reporter.reset();
    settings.controllers.clear();
    start();
    EXPECT_TRUE(reporter->list_controllers()["inventories"].empty());
}

TEST_F(Links, WhatIsKnownOfAGuestIsToldWhenItChangesAndStandsInPictures) {
    const VmId vm = add_vm();
    const json guest = {{"guestAgent", "Connected"}, {"addresses", json::array()}};
    guest_of = [&](const VmId& one) { return one == vm ? guest : json(); };
    add_vm();
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    EXPECT_EQ(bodies()[0].dump().find("guestAgent"), std::string::npos) << "it is off";
    observe(vm, VmState::running, "booted");
    ASSERT_TRUE(arrives(
        [&](const json& body) { return tells(body, vm, "Running") && body["vms"][0].value("guest", json()) == guest; }));
    http.answer(there, {200, R"({"snapshot":true})"});
    reporter->guest_changed(vm, guest);
    ASSERT_TRUE(arrives([&](const json& body) {
        return is_kind(body, "vmGuests") && body["guests"][0] == json{{"uuid", vm.str()}, {"guest", guest}};
    }));
    ASSERT_TRUE(arrives([&](const json& body) {
        if (!is_kind(body, "snapshot")) return false;
        int with_guest = 0;
        for (const json& one : body["vms"]) with_guest += one.contains("guest") ? 1 : 0;
        return with_guest == 1;
    }));
}

TEST_F(Links, AClockThatDiffersIsKnownFromTheAnswer) {
    settings.link.heartbeat = milliseconds(5);
    start().add_controller({{"url", there}});
    ASSERT_TRUE(arrives([](const json& body) { return is_kind(body, "hostConnect"); }));
    EXPECT_TRUE(reporter->clocks().empty()) << "it has not said what time it is";
    const auto settles_at = [&](Time date, milliseconds least, milliseconds most) {
        http.answer(there, {200, "", false, date});
        for (int round = 0; round < 2000; ++round) {
            const auto clocks = reporter->clocks();
            if (clocks.size() == 1 && clocks[0].url == there && clocks[0].ahead >= least && clocks[0].ahead <= most)
                return true;
            std::this_thread::sleep_for(milliseconds(5));
        }
        return false;
    };
    EXPECT_TRUE(settles_at(clock.now() + seconds(3600), seconds(3580), seconds(3600)));
    EXPECT_TRUE(settles_at(clock.now() - seconds(3600), seconds(-3620), seconds(-3590)));
    // Whole seconds: 0.9 s less is the same clock.
    bool agrees = false;
    for (int round = 0; round < 2000 && !agrees; ++round) {
        http.answer(there, {200, "", false, clock.now() - milliseconds(900)});
        std::this_thread::sleep_for(milliseconds(5));
        agrees = reporter->clocks()[0].ahead == milliseconds(0);
    }
    EXPECT_TRUE(agrees);
}

TEST_F(Links, AHeartbeatFollowsWhenNothingHappens) {
    settings.link.heartbeat = milliseconds(30);
    start().add_controller({{"url", there}});
    EXPECT_TRUE(arrives([](const json& body) { return is_kind(body, "heartbeat") && body["host"]["name"] == "h1"; }));
}

using Feed = ReportsTest;

TEST_F(Feed, ANewReaderSeesAPictureThenWhatFollows) {
    const VmId vm = add_vm();
    Reporter& feed = start();
    auto place = feed.find("");
    auto events = feed.read(place, 10);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, "snapshot");
    observe(vm, VmState::running, "booted");
    events = feed.read(place, 10);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(tells(json::parse(events[0].data), vm, "Running"));
    EXPECT_TRUE(feed.read(place, 10).empty());
}

TEST_F(Feed, AReaderThatComesBackMissesNothing) {
    const VmId vm = add_vm();
    Reporter& feed = start();
    auto place = feed.find("");
    const std::string last = feed.read(place, 10)[0].id;
    observe(vm, VmState::running, "booted");
    observe(vm, VmState::paused, "user");
    auto again = feed.find(last);
    const auto events = feed.read(again, 10);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_TRUE(tells(json::parse(events[1].data), vm, "Paused"));
    for (const std::string& nonsense :
         {std::string("x"), std::string("x-1"), last + "99999999999999999999", std::string("-")})
        EXPECT_TRUE(feed.find(nonsense).needs_picture) << nonsense;
}

}  // namespace
}  // namespace hvagent::reports
