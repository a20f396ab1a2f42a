#include "tests/unit/peers/peers_fixture.h"

namespace hvagent::peers {
namespace {

class Keeper : public PeersTest {
protected:
    struct Change {
        HostId peer;
        bool connected;
        std::string why;
    };

    ~Keeper() override {
        peers.faults.release("ask");
        if (keeper) keeper->stop();
    }
    void start(milliseconds heartbeat = milliseconds(5)) {
        keeper = std::make_unique<PeerKeeper>(inventory, peers, clock,
                                              KeeperSettings{heartbeat, 4 * heartbeat, milliseconds(1000)});
        keeper->on_peer_change([this](const HostId& peer, bool connected, const std::string& why) {
            const std::lock_guard lock(mutex);
            changes.push_back({peer, connected, why});
            changed.notify_all();
        });
        keeper->start();
    }
    void there_answers() {
        peers.know(there, url_there);
        peers.answer(there, "facts", [](const json&) { return to_json(facts_there()); });
    }
    void there_is_silent(Code code = Code::host_connection) {
        peers.know(there, url_there);
        peers.answer(there, "facts", [code](const json&) -> json { throw Error(code, "there does not answer: cut"); });
    }
    // The n-th change, within a minute.
    Change change(std::size_t number) {
        std::unique_lock lock(mutex);
        if (!changed.wait_for(lock, std::chrono::minutes(1), [&] { return changes.size() > number; })) {
            ADD_FAILURE() << "there were " << changes.size() << " changes";
            return {};
        }
        return changes[number];
    }
    // Until the keeper has asked so often.
    bool asked(std::size_t count) {
        for (const Moment deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
             std::chrono::steady_clock::now() < deadline; std::this_thread::sleep_for(milliseconds(2)))
            if (peers.asked().size() >= count) return true;
        return false;
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Change> changes;
    std::unique_ptr<PeerKeeper> keeper;
};

TEST_F(Keeper, APeerThatAnswersIsConnectedWithItsFigures) {
    know_there();
    there_answers();
    start();
    EXPECT_TRUE(change(0).connected);
    EXPECT_EQ(host_there().status, ConnectionStatus::connected);
    EXPECT_EQ(host_there().cpu_num, 4);
    EXPECT_EQ(inventory.get<Peer>(there).qemu_version, "7.2.0");
}

TEST_F(Keeper, WhatWasSeenInAnEarlierLifeIsNotTheTruth) {
    know_there();
    write_facts(inventory, facts_there(), clock.now());
    there_answers();
    peers.faults.hang("ask");
    start();
    EXPECT_EQ(host_there().status, ConnectionStatus::connecting);
}

TEST_F(Keeper, OneMissIsNoLoss) {
    know_there();
    there_answers();
    start();
    change(0);
    peers.faults.fail_next("ask", Error(Code::host_connection, "there does not answer: lost"));
    const std::size_t so_far = peers.asked().size();
    EXPECT_TRUE(asked(so_far + 3));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(changes.size(), 1u);
}

TEST_F(Keeper, TwoMissesAreDisconnectedWithTheReasonAndTheLastFigures) {
    know_there();
    there_answers();
    start();
    change(0);
    there_is_silent();
    const Change lost = change(1);
    EXPECT_FALSE(lost.connected);
    EXPECT_EQ(lost.why, "there does not answer: cut");
    EXPECT_EQ(host_there().status, ConnectionStatus::disconnected);
    EXPECT_EQ(host_there().cpu_num, 4);
    EXPECT_EQ(inventory.get<Peer>(there).failure, "there does not answer: cut");
    there_answers();
    EXPECT_TRUE(change(2).connected);
    EXPECT_EQ(host_there().status, ConnectionStatus::connected);
    EXPECT_EQ(inventory.get<Peer>(there).failure, "");
}

TEST_F(Keeper, APeerThatDoesNotKnowUsIsDisconnectedAtOnce) {
    know_there();
    there_is_silent(Code::authentication_failed);
    start(std::chrono::hours(1));
    EXPECT_FALSE(change(0).connected);
    EXPECT_EQ(peers.asked().size(), 1u);
}

TEST_F(Keeper, AnotherAgentAtTheAddressIsNotThePeer) {
    know_there();
    peers.know(there, url_there);
    peers.answer(there, "facts", [](const json&) {
        PeerFacts facts = facts_there();
        facts.host.uuid = here;
        return to_json(facts);
    });
    start();
    const Change lost = change(0);
    EXPECT_FALSE(lost.connected);
    EXPECT_THAT(lost.why, HasSubstr(here.str()));
}

TEST_F(Keeper, APeerThatSpeaksToUsIsLookedAtBeforeItsTime) {
    know_there();
    there_is_silent(Code::authentication_failed);
    start(std::chrono::hours(1));
    change(0);
    there_answers();
    keeper->heard(there);
    EXPECT_TRUE(change(1).connected);
    keeper->heard(there);  // known to answer: not asked again
    EXPECT_EQ(peers.asked().size(), 2u);
}

TEST_F(Keeper, APeerThatHangsHidesNoOther) {
    know_there();
    there_answers();
    peers.answer(there, "facts", [this](const json&) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, seconds(20), [this] { return !changes.empty(); });
        return to_json(facts_there());
    });
    const HostId other = HostId::make();
    Host host;
    host.uuid = other;
    host.name = "other";
    remember_peer(inventory, host, "https://10.0.0.3:8080", new_token(), new_token());
    peers.know(other, "https://10.0.0.3:8080");
    peers.answer(other, "facts", [other](const json&) {
        PeerFacts facts = facts_there();
        facts.host.uuid = other;
        return to_json(facts);
    });
    start();
    EXPECT_EQ(change(0).peer, other);
    EXPECT_EQ(change(1).peer, there);
}

TEST_F(Keeper, APeerThatIsExpectedIsLookedAtWhenItSpeaks) {
    know_there();
    there_answers();
    forget_peer(inventory, there);
    start(std::chrono::hours(1));
    know_there();
    keeper->expect(there);
    EXPECT_TRUE(peers.asked().empty());
    keeper->heard(there);
    EXPECT_TRUE(change(0).connected);
}

TEST_F(Keeper, PeersMayComeAndGo) {
    there_answers();
    start();
    know_there();
    keeper->look_soon(there);
    EXPECT_TRUE(change(0).connected);
    forget_peer(inventory, there);
    keeper->look_soon(there);
    keeper->stop();
    EXPECT_FALSE(inventory.find<Host>(there));
}

}  // namespace
}  // namespace hvagent::peers
