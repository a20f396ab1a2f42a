#include "agent/state/guest_watch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>

#include "agent/state/guest_part.h"
#include "hvagent/error.h"
#include "tests/unit/state/watching.h"

namespace hvagent::state {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// Guests that say what the test says; a deaf one holds who asks it until it is let go.
class Guests final : public VmGuests {
public:
    GuestSight look(const VmId& vm) override {
        std::unique_lock lock(mutex_);
        ++looks_;
        changed_.notify_all();
        if (fail_) throw Error(Code::timeout, "no answer");
        if (deaf_.contains(vm)) {
            changed_.wait(lock, [&] { return !deaf_.contains(vm); });
            throw Error(Code::timeout, "no answer");
        }
        return sights_[vm];
    }
    void show(const VmId& vm, GuestSight sight) {
        const std::lock_guard lock(mutex_);
        sights_[vm] = std::move(sight);
    }
    void make_deaf(const VmId& vm, bool is_deaf) {
        const std::lock_guard lock(mutex_);
        is_deaf ? void(deaf_.insert(vm)) : void(deaf_.erase(vm));
        changed_.notify_all();
    }
    void fail(bool fail) {
        const std::lock_guard lock(mutex_);
        fail_ = fail;
    }
    bool wait_for_looks(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(10), [&] { return looks_ >= count; });
    }
    int looks() {
        const std::lock_guard lock(mutex_);
        return looks_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<VmId, GuestSight> sights_;
    std::set<VmId> deaf_;
    int looks_ = 0;
    bool fail_ = false;
};

struct Followed final : VmObserverListener {
    explicit Followed(Told& texts) : told(texts) {}
    void on_connected(std::vector<VmObservation>) override { told.add("connected"); }
    void on_event(const VmEvent& event) override { told.add(std::string(to_text(event.observation.state))); }
    void on_disconnected(const std::string&) override { told.add("disconnected"); }
    Told& told;
};

GuestSight sight(bool has_agent, const std::string& told_address = "") {
    GuestSight seen;
    seen.active = true;
    seen.agent_connected = has_agent;
    seen.leased = {{"fa:00:00:00:00:01", "192.168.122.7", 24, ""}};
    if (has_agent) seen.told = {{"fa:00:00:00:00:01", told_address, 24, "eth0"}};
    return seen;
}

class GuestsWatched : public testing::Test {
protected:
    GuestsWatched() {
        settings.pauses = {milliseconds(0), milliseconds(1)};
        settings.every = seconds(1000);
        settings.calm = milliseconds(0);
    }
    ~GuestsWatched() override {
        for (const VmId& one : deaf) guests.make_deaf(one, false);
        guests.fail(false);
    }
    GuestWatch& begin() {
        watch = std::make_unique<GuestWatch>(next, guests, clock, settings, [this](const VmId& of, const KnownGuest& guest) {
            told.add(of.str() + guest.part.dump());
        });
        watch->start();
        watch->on_connected({});
        return *watch;
    }
    void event(const VmId& of, VmState state, VmEventKind kind = VmEventKind::state) {
        watch->on_event({kind, {of, state, "", clock.now()}});
    }
    void make_deaf(const VmId& one) {
        deaf.push_back(one);
        guests.make_deaf(one, true);
    }

    MovableClock clock;
    GuestWatchSettings settings;
    Guests guests;
    Told told, passed;
    Followed next{passed};
    std::vector<VmId> deaf;
    const VmId vm = VmId::make();
    std::unique_ptr<GuestWatch> watch;
};

TEST_F(GuestsWatched, WhatIsKnownIsToldOnceItIsKnownAndWhenItChanges) {
    guests.show(vm, sight(true, "10.0.0.7"));
    begin();
    event(vm, VmState::running);
    ASSERT_TRUE(told.wait_for(1));
    EXPECT_THAT(told.all()[0], HasSubstr("10.0.0.7"));
    EXPECT_THAT(told.all()[0], HasSubstr("192.168.122.7"));
    guests.show(vm, sight(false));
    event(vm, VmState::running, VmEventKind::guest_agent_disconnected);
    ASSERT_TRUE(told.wait_for(2));
    EXPECT_THAT(told.all()[1], HasSubstr("Disconnected"));
    const auto known = watch->known_of(vm);
    ASSERT_TRUE(known);
    EXPECT_EQ(known->part["addresses"].size(), 1u);
    // The same again is no news.
    const int before = guests.looks();
    event(vm, VmState::running, VmEventKind::guest_agent_disconnected);
    ASSERT_TRUE(guests.wait_for_looks(before + 2));
    EXPECT_EQ(told.all().size(), 2u);
}

TEST_F(GuestsWatched, NothingIsKnownOfOneThatIsOffAndAPausedOneIsNotAsked) {
    guests.show(vm, sight(true, "10.0.0.7"));
    begin();
    event(vm, VmState::running);
    ASSERT_TRUE(told.wait_for(1));
    event(vm, VmState::paused);
    EXPECT_TRUE(watch->known_of(vm));
    const int before = guests.looks();
    event(vm, VmState::paused, VmEventKind::guest_agent_connected);
    event(vm, VmState::stopped);
    EXPECT_FALSE(watch->known_of(vm));
    event(vm, VmState::running);
    ASSERT_TRUE(told.wait_for(2)) << "it is another life of the guest";
    EXPECT_LE(guests.looks(), before + 2);
    EXPECT_THAT(passed.all(), ElementsAre("connected", "Running", "Paused", "Paused", "Stopped", "Running"));
}

TEST_F(GuestsWatched, WhatWasSeenBeforeTheLastEventIsNotTold) {
    guests.show(vm, sight(true, "10.0.0.7"));
    begin();
    make_deaf(vm);
    event(vm, VmState::running);
    ASSERT_TRUE(guests.wait_for_looks(1));
    event(vm, VmState::stopped);
    guests.make_deaf(vm, false);
    const VmId other = VmId::make();
    guests.show(other, sight(true, "10.0.0.8"));
    event(other, VmState::running);
    ASSERT_TRUE(told.wait_for(1));
    EXPECT_THAT(told.all(), ElementsAre(HasSubstr(other.str())));
    EXPECT_FALSE(watch->known_of(vm));
}

TEST_F(GuestsWatched, DeafOnesDelayNeitherEventsNorGuestsThatAnswer) {
    settings.threads = 2;
    begin();
    const std::vector<VmId> frozen{VmId::make(), VmId::make(), VmId::make()};
    guests.fail(true);
    for (const VmId& one : frozen) {
        const int before = guests.looks();
        event(one, VmState::running);
        ASSERT_TRUE(guests.wait_for_looks(before + 1));
        // By the second look the first has ended: it is known to be deaf.
        event(one, VmState::running, VmEventKind::guest_agent_connected);
        ASSERT_TRUE(guests.wait_for_looks(before + 2));
        make_deaf(one);
    }
    guests.fail(false);
    const std::size_t before = passed.all().size();
    for (const VmId& one : frozen) event(one, VmState::running, VmEventKind::guest_agent_connected);
    EXPECT_EQ(passed.all().size(), before + 3);
    guests.show(vm, sight(true, "10.0.0.7"));
    event(vm, VmState::running);
    ASSERT_TRUE(told.wait_for(1));
    EXPECT_THAT(told.all()[0], HasSubstr(vm.str()));
}

TEST_F(GuestsWatched, AGuestWhoseAgentComesAndGoesAllTheTimeIsLookedAtNowAndThen) {
    settings.calm = seconds(1000);
    guests.show(vm, sight(true, "10.0.0.7"));
    begin();
    event(vm, VmState::running);
    ASSERT_TRUE(told.wait_for(1));
    const int before = guests.looks();
    for (int i = 0; i < 100; ++i) event(vm, VmState::running, VmEventKind::guest_agent_connected);
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_LE(guests.looks(), before + 1);
}

TEST(GuestPart, BoundsWhatAGuestSaysOfItself) {
    GuestSight seen = sight(true, "127.0.0.1");
    for (int i = 0; i < 1000; ++i) seen.told->push_back({"", "fe80::" + std::to_string(i), 64, std::string(5000, 'x')});
    seen.hostname = std::string(5000, 'h');
    const json part = guest_part(seen);
    EXPECT_EQ(part["addresses"].size(), 64u);
    EXPECT_LT(part.dump().size(), 30000u);
    EXPECT_EQ(part.dump().find("127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace hvagent::state
