#include "tests/unit/peers/peers_fixture.h"

namespace hvagent::peers {
namespace {

// `there` introduces itself to `here`.
class Introduced : public PeersTest {
protected:
    Introduced() {
        sent.host = there;
        sent.name = "there";
        sent.management_ip = "10.0.0.2";
        sent.url = url_there;
        sent.token = new_token();
    }
    json accept() { return accept_introduction(inventory, here, to_json(sent), {{"hostUuid", here.str()}}); }

    Introduction sent;
};

TEST_F(Introduced, BothTokensAreAgreedOnAndTheHostIsShown) {
    const IntroductionAnswer answer = parse_answer(accept());
    const Peer peer = inventory.get<Peer>(there);
    EXPECT_EQ(peer.url, url_there);
    EXPECT_EQ(peer.token_out, sent.token);
    EXPECT_EQ(peer.token_in_hash, identity::sha256_hex(answer.token));
    EXPECT_EQ(answer.facts["hostUuid"], here.str());
    EXPECT_EQ(host_there().name, "there");
    EXPECT_EQ(host_there().management_ip, "10.0.0.2");
    EXPECT_EQ(host_there().cluster, inventory.get<Host>(here).cluster);
    EXPECT_EQ(host_there().status, ConnectionStatus::connecting);
}

TEST_F(Introduced, TwiceIsOneHostWithTheNameItHasHere) {
    accept();
    inventory.modify<Host>(there, [](Host& host) { host.name = "rack 7"; });
    sent.name = "another";
    sent.url = "https://10.0.0.9:8080";
    accept();
    EXPECT_EQ(inventory.count<Host>(), 2);
    EXPECT_EQ(host_there().name, "rack 7");
    EXPECT_EQ(inventory.get<Peer>(there).url, "https://10.0.0.9:8080");
}

TEST_F(Introduced, AHostIsNoPeerOfItself) {
    sent.host = here;
    EXPECT_EQ(thrown_error([&] { accept(); }).code(), Code::operation_failed);
    EXPECT_EQ(inventory.count<Host>(), 1);
}

TEST_F(Introduced, WhoMeansAnotherHostIsToldThisOne) {
    sent.expected = HostId::make();
    const Error error = thrown_error([&] { accept(); });
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr(here.str()));
    EXPECT_FALSE(inventory.find<Host>(there));
    sent.expected = here;
    EXPECT_NO_THROW(accept());
}

TEST_F(Introduced, WhatIsIncompleteIsRefused) {
    for (const auto& [key, value] : {std::pair<const char*, json>{"hostUuid", "x"},
                                     {"name", ""},
                                     {"managementIp", 7},
                                     {"url", "ftp://x"},
                                     {"token", "short"},
                                     {"token", nullptr}}) {
        json broken = to_json(sent);
        broken[key] = value;
        EXPECT_EQ(thrown_error([&] { accept_introduction(inventory, here, broken, json::object()); }).code(),
                  Code::invalid_argument)
            << key;
    }
    EXPECT_FALSE(inventory.find<Peer>(there));
}

// Each adds the other at the same moment, and their messages cross: whatever is shown must still be taken.
TEST_F(Introduced, CrossingIntroductionsLeaveALinkThatWorks) {
    PeerDesk desk(inventory, clock);
    desk.on("greet", [](const HostId&, const json&) { return json::object(); });
    const std::string first = parse_answer(accept()).token;  // what `there` was told to show
    Host host = host_there();
    const std::string second = new_token();  // what our own introduction told it to show, noted later than it heard of it
    remember_peer(inventory, host, url_there, new_token(), second);
    EXPECT_NO_THROW(desk.serve("Peer " + there.str() + " " + first, "10.0.0.2", "greet", {}));
    EXPECT_NO_THROW(desk.serve("Peer " + there.str() + " " + second, "10.0.0.2", "greet", {}));
}

TEST_F(Introduced, SecretsAreNotStoredWhereTheyAreOnlyCompared) {
    const IntroductionAnswer answer = parse_answer(accept());
    const Peer peer = inventory.get<Peer>(there);
    for (const std::string& text : {peer.token_in_hash, peer.former_token_in_hash, peer.failure})
        EXPECT_THAT(text, Not(HasSubstr(answer.token)));
}

TEST_F(Introduced, FactsComeThroughAsTheyWere) {
    const PeerFacts read = parse_facts(to_json(facts_there()), there);
    EXPECT_EQ(to_json(read), to_json(facts_there()));
    EXPECT_EQ(thrown_error([&] { parse_facts(to_json(facts_there()), here); }).code(), Code::host_connection);
    EXPECT_EQ(thrown_error([&] { parse_facts(json::object(), there); }).code(), Code::host_connection);
    EXPECT_EQ(thrown_error([&] { parse_facts(json::array(), there); }).code(), Code::host_connection);
}

TEST_F(Introduced, FactsChangeWhatIsSeenAndNotWhatIsDecidedHere) {
    know_there();
    inventory.modify<Host>(there, [](Host& host) { host.name = "rack 7"; });
    PeerFacts facts = facts_there();
    facts.host.state = "Disabled";
    write_facts(inventory, facts, clock.now());
    const Host host = host_there();
    EXPECT_EQ(host.name, "rack 7");
    EXPECT_EQ(host.management_ip, "10.0.0.2");
    EXPECT_EQ(host.state, "Disabled");
    EXPECT_EQ(host.status, ConnectionStatus::connected);
    EXPECT_EQ(host.available_memory, 8 * GiB);
    EXPECT_EQ(inventory.get<Peer>(there).boot_id, "b1");
    facts.host.status = ConnectionStatus::disconnected;  // its libvirt is silent
    write_facts(inventory, facts, clock.now());
    EXPECT_EQ(host_there().status, ConnectionStatus::disconnected);
    EXPECT_THAT(inventory.get<Peer>(there).failure, HasSubstr("libvirt"));
}

}  // namespace
}  // namespace hvagent::peers
