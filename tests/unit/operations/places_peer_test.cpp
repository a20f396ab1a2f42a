#include <gmock/gmock.h>

#include "agent/identity/secret_hash.h"
#include "agent/operations/place/peer_hosts.h"
#include "agent/peers/introduction.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Settings reachable() {
    config::Settings settings;
    settings.http_listen = "10.0.0.1:8080";
    settings.http_insecure = true;
    settings.management_ip = "10.0.0.1";
    return settings;
}

// This host, and another agent in memory at 10.0.0.2.
class PeerHosts : public Places {
protected:
    PeerHosts() : PeerHosts(reachable()) {}
    explicit PeerHosts(config::Settings wanted) : Places(std::move(wanted)) {
        start();
        services->consider_peer = [this](const HostId& peer) { considered.push_back(peer); };
        services->why_host_is_needed = [this](const HostId&) { return needed; };
        answer_peers(*services, desk);
        facts.host.uuid = there;
        facts.host.name = "its own name";
        facts.host.status = ConnectionStatus::connected;
        facts.host.cpu_num = 4;
        facts.host.total_cpu = 40;
        facts.host.available_cpu = 40;
        facts.host.total_memory = 16 * GiB;
        facts.host.available_memory = 8 * GiB;
        facts.boot_id = facts.agent_version = facts.libvirt_version = facts.qemu_version = "1";
        peers.know(there, url);
        peers.introduce_as(url, [this](const json& about_us) {
            told = about_us;
            return json{{"token", token}, {"facts", peers::to_json(facts)}};
        });
        peers.answer(there, "facts", [this](const json&) { return peers::to_json(facts); });
        peers.answer(there, "call-back", [this](const json&) {
            ask("facts");
            return json::object();
        });
        peers.answer(there, "leave", [](const json&) { return json::object(); });
    }
    // As the other agent asks us, with the token that we gave it.
    json ask(const std::string& verb, const json& body = json::object()) {
        return desk.serve("Peer " + there.str() + " " + told.at("token").get<std::string>(), "10.0.0.2", verb, body);
    }
    json params(const json& more = json::object()) {
        json all{{"name", "h2"},
                 {"managementIp", "10.0.0.2"},
                 {"clusterUuid", made("cluster")},
                 {"username", "admin"},
                 {"password", "open sesame"}};
        all.update(more);
        return all;
    }
    json add(const json& more = json::object()) { return call("AddKVMHost", params(more))["inventory"]; }
    Error refusal(const json& more = json::object()) { return failure_of("AddKVMHost", params(more)); }
    bool was_asked(const std::string& verb) {
        for (const FakePeers::Asked& one : peers.asked())
            if (one.verb == verb) return true;
        return false;
    }

    const HostId there = HostId::make();
    const std::string url = "http://10.0.0.2:8080";
    const std::string token = peers::new_token();
    peers::PeerFacts facts;
    peers::PeerDesk desk{inventory, clock};
    json told;  // what we said at the introduction
    std::string needed;
    std::vector<HostId> considered;
};

TEST_F(PeerHosts, AreAddedByAddressAndPasswordAlone) {
    const json added = add({{"description", "d"}, {"sshPort", 22}, {"userTags", {"rack"}}});
    EXPECT_EQ(added["uuid"], there.str());
    EXPECT_EQ(added["name"], "h2");
    EXPECT_EQ(added["description"], "d");
    EXPECT_EQ(added["managementIp"], "10.0.0.2");
    EXPECT_EQ(added["clusterUuid"], made("cluster"));
    EXPECT_EQ(added["zoneUuid"], made("zone"));
    EXPECT_EQ(added["status"], "Connected");
    EXPECT_EQ(added["availableMemoryCapacity"], 8 * GiB);
    EXPECT_EQ(told["hostUuid"], host.str());
    EXPECT_EQ(told["url"], "http://10.0.0.1:8080");
    EXPECT_EQ(peers.asked()[0].body["password"], identity::sha512_hex("open sesame"));
    const Peer peer = inventory.get<Peer>(there);
    EXPECT_EQ(peer.token_out, token);
    EXPECT_EQ(peer.token_in_hash, identity::sha256_hex(told["token"].get<std::string>()));
    EXPECT_FALSE(considered.empty());
    EXPECT_EQ(query("QueryHost").size(), 2u);
}

TEST_F(PeerHosts, NoSecretIsShown) {
    const json added = add();
    for (const std::string& secret : {token, told["token"].get<std::string>(), std::string("open sesame")})
        EXPECT_THAT(added.dump() + query("QueryHost").dump(), Not(HasSubstr(secret)));
    const json masked = api::mask_secrets(*catalog->find("AddKVMHost"), params());
    EXPECT_THAT(masked.dump(), Not(HasSubstr("open sesame")));
}

TEST_F(PeerHosts, AddedTwiceAreOneHost) {
    add();
    const std::string former = told["token"];
    const json again = add({{"name", "renamed"}});
    EXPECT_EQ(again["name"], "renamed");
    EXPECT_EQ(query("QueryHost").size(), 2u);
    EXPECT_NE(told["token"], former);
    EXPECT_NO_THROW(ask("facts"));
}

TEST_F(PeerHosts, AnAdditionCutShortAfterTheOtherSideTookPartIsTakenUp) {
    peers.introduce_as(url, [this](const json& about_us) -> json {
        told = about_us;
        throw Error(Code::host_connection, "the answer is lost");
    });
    refusal();
    peers.introduce_as(url, [this](const json& about_us) {
        told = about_us;
        return json{{"token", token}, {"facts", peers::to_json(facts)}};
    });
    call("AddKVMHost", params(), true);
    call("AddKVMHost", params(), true);
    EXPECT_EQ(query("QueryHost").size(), 2u);
    EXPECT_NO_THROW(ask("facts"));
}

TEST_F(PeerHosts, PortAndSchemeMayBeSaid) {
    peers.introduce_as("https://10.0.0.2:8443", [this](const json& about_us) {
        told = about_us;
        return json{{"token", token}, {"facts", peers::to_json(facts)}};
    });
    add({{"systemTags", {"agentPort::8443", "agentScheme::https"}}});
    EXPECT_EQ(inventory.get<Peer>(there).url, "https://10.0.0.2:8443");
    add({{"systemTags", {"agentPort::8443", "agentScheme::https"}}});
    for (const char* tag : {"agentPort::0", "agentPort::65536", "agentPort::http", "agentScheme::ssh", "agentPort", "x::y"})
        EXPECT_EQ(refusal({{"systemTags", {tag}}}).code(), Code::invalid_argument) << tag;
}

TEST_F(PeerHosts, SshIsNotSpoken) {
    EXPECT_EQ(refusal({{"sshPort", 2222}}).code(), Code::invalid_argument);
}

TEST_F(PeerHosts, AWrongPasswordSaysWhichOneIsMeant) {
    peers.introduce_as(url, [](const json&) -> json {
        throw Error(Code::authentication_failed, "the agent at 10.0.0.2: wrong account name or password");
    });
    const Error error = refusal();
    EXPECT_EQ(error.code(), Code::authentication_failed);
    EXPECT_THAT(error.details(), HasSubstr("not of ssh"));
    EXPECT_EQ(query("QueryHost").size(), 1u);
}

TEST_F(PeerHosts, WhereNobodyAnswersNothingIsRecorded) {
    EXPECT_EQ(refusal({{"managementIp", "10.0.0.9"}}).code(), Code::host_connection);
    EXPECT_EQ(query("QueryHost").size(), 1u);
    EXPECT_EQ(inventory.count<Peer>(), 0);
}

TEST_F(PeerHosts, ThatCannotReachUsAreTakenBack) {
    peers.answer(there, "call-back", [](const json&) -> json {
        throw Error(Code::host_connection, "h1 does not answer at http://10.0.0.1:8080: no route");
    });
    EXPECT_THAT(refusal().details(), HasSubstr("no route"));
    EXPECT_TRUE(was_asked("leave"));
    EXPECT_EQ(query("QueryHost").size(), 1u);
    EXPECT_EQ(inventory.count<Peer>(), 0);
}

TEST_F(PeerHosts, TokensThatCrossedAreAgreedOnAnew) {
    int refusals = 2;
    peers.answer(there, "call-back", [this, &refusals](const json&) {
        if (refusals-- > 0) throw Error(Code::authentication_failed, "h2: the host is not known here");
        ask("facts");
        return json::object();
    });
    EXPECT_EQ(add()["uuid"], there.str());
    EXPECT_EQ(refusals, -1);
    refusals = 100;
    EXPECT_EQ(refusal().code(), Code::authentication_failed);  // not for ever
}

TEST_F(PeerHosts, AKnownHostStaysWhenAddingItAgainFails) {
    add();
    peers.answer(there, "call-back", [](const json&) -> json { throw Error(Code::host_connection, "no route"); });
    refusal();
    EXPECT_FALSE(was_asked("leave"));
    EXPECT_EQ(query("QueryHost").size(), 2u);
}

TEST_F(PeerHosts, ThisHostIsNotAddedToItself) {
    facts.host.uuid = host;
    EXPECT_EQ(refusal().code(), Code::invalid_argument);
    EXPECT_EQ(refusal({{"resourceUuid", host.str()}}).code(), Code::invalid_argument);
    EXPECT_EQ(query("QueryHost").size(), 1u);
}

TEST_F(PeerHosts, AUuidNamesTheAgentThatIsMeant) {
    add({{"resourceUuid", there.str()}});
    EXPECT_EQ(told["expectedHostUuid"], there.str());
    const HostId other = HostId::make();
    EXPECT_THAT(refusal({{"resourceUuid", other.str()}}).details(), HasSubstr(there.str()));
}

class LoopbackHost : public PeerHosts {
protected:
    LoopbackHost() : PeerHosts(config::Settings{}) {}
};

TEST_F(LoopbackHost, AddsNobodyWhoCouldNotAnswer) {
    EXPECT_THAT(refusal().details(), HasSubstr("management_ip"));
    EXPECT_TRUE(peers.asked().empty());
}

class KnownPeer : public PeerHosts {
protected:
    KnownPeer() { add(); }
    json shown() { return only("QueryHost", {"uuid=" + there.str()}); }
};

TEST_F(KnownPeer, IsDeletedOnBothSides) {
    call("DeleteHost", {{"uuid", there.str()}});
    EXPECT_TRUE(was_asked("leave"));
    EXPECT_EQ(query("QueryHost").size(), 1u);
    EXPECT_EQ(inventory.count<Peer>(), 0);
    EXPECT_EQ(thrown_error([&] { ask("facts"); }).code(), Code::authentication_failed);
    EXPECT_EQ(call("DeleteHost", {{"uuid", there.str()}}), json::object());
}

TEST_F(KnownPeer, ThatIsSilentIsDeletedHere) {
    peers.answer(there, "leave", [](const json&) -> json { throw Error(Code::host_connection, "no answer"); });
    call("DeleteHost", {{"uuid", there.str()}});
    EXPECT_EQ(query("QueryHost").size(), 1u);
}

TEST_F(KnownPeer, IsNotDeletedWhileItIsNeeded) {
    needed = "a migration to it is open";
    EXPECT_THAT(failure_of("DeleteHost", {{"uuid", there.str()}}).details(), HasSubstr(needed));
    EXPECT_EQ(thrown_error([&] { ask("leave"); }).code(), Code::operation_failed);
    needed.clear();
    const VmId vm = add_vm([&](Vm& record) { record.host = there; });
    EXPECT_THAT(failure_of("DeleteHost", {{"uuid", there.str()}}).details(), HasSubstr("1 VM"));
    inventory.remove<Vm>(vm);
    peers.answer(there, "leave", [](const json&) -> json { throw Error(Code::operation_failed, "still needed"); });
    EXPECT_THAT(failure_of("DeleteHost", {{"uuid", there.str()}}).details(), HasSubstr("still needed"));
    EXPECT_EQ(query("QueryHost").size(), 2u);
    call("DeleteHost", {{"uuid", there.str()}, {"deleteMode", "Enforcing"}});
    EXPECT_EQ(query("QueryHost").size(), 1u);
}

TEST_F(KnownPeer, ThisHostIsNotDeleted) {
    EXPECT_EQ(failure_of("DeleteHost", {{"uuid", host.str()}}).code(), Code::operation_failed);
}

TEST_F(KnownPeer, MayLeaveByItself) {
    ask("leave");
    EXPECT_EQ(query("QueryHost").size(), 1u);
    EXPECT_EQ(thrown_error([&] { ask("facts"); }).code(), Code::authentication_failed);
}

TEST_F(KnownPeer, ReconnectTellsTheTruth) {
    facts.host.available_memory = 4 * GiB;
    EXPECT_EQ(call("ReconnectHost", {{"uuid", there.str()}})["inventory"]["availableMemoryCapacity"], 4 * GiB);
    facts.host.status = ConnectionStatus::disconnected;
    EXPECT_THAT(failure_of("ReconnectHost", {{"uuid", there.str()}}).details(), HasSubstr("libvirt"));
    EXPECT_EQ(shown()["status"], "Disconnected");
    peers.answer(there, "facts", [](const json&) -> json { throw Error(Code::host_connection, "no route"); });
    EXPECT_THAT(failure_of("ReconnectHost", {{"uuid", there.str()}}).details(), HasSubstr("no route"));
    EXPECT_EQ(shown()["status"], "Disconnected");
    EXPECT_EQ(shown()["availableMemoryCapacity"], 4 * GiB);
}

TEST_F(KnownPeer, ItsStateIsItsOwn) {
    peers.answer(there, "change-host-state", [this](const json& body) {
        facts.host.state = body.at("stateEvent") == "disable" ? "Disabled" : "Enabled";
        return peers::to_json(facts);
    });
    EXPECT_EQ(call("ChangeHostState", {{"uuid", there.str()}, {"stateEvent", "disable"}})["inventory"]["state"], "Disabled");
    EXPECT_EQ(inventory.get<Host>(host).state, "Enabled");
    peers.answer(there, "change-host-state", [](const json&) -> json { throw Error(Code::host_connection, "no route"); });
    failure_of("ChangeHostState", {{"uuid", there.str()}, {"stateEvent", "enable"}});
    EXPECT_EQ(shown()["state"], "Disabled");
    EXPECT_EQ(failure_of("ChangeHostState", {{"uuid", there.str()}, {"stateEvent", "maintain"}}).code(),
              Code::no_capability);
}

TEST_F(KnownPeer, MayChangeOurState) {
    EXPECT_EQ(ask("change-host-state", {{"stateEvent", "disable"}})["state"], "Disabled");
    EXPECT_EQ(inventory.get<Host>(host).state, "Disabled");
    EXPECT_EQ(thrown_error([&] { ask("change-host-state", {{"stateEvent", "explode"}}); }).code(), Code::no_capability);
    EXPECT_EQ(ask("facts")["hostUuid"], host.str());
}

TEST_F(KnownPeer, MovesWhereItsAgentAnswers) {
    call("UpdateHost", {{"uuid", there.str()}, {"managementIp", "10.0.0.7"}, {"name", "moved"}});
    EXPECT_EQ(inventory.get<Peer>(there).url, "http://10.0.0.7:8080");
    EXPECT_EQ(shown()["managementIp"], "10.0.0.7");
    EXPECT_EQ(shown()["name"], "moved");
    EXPECT_EQ(peers.asked().back().body["asked at"], "http://10.0.0.7:8080");
    facts.host.uuid = HostId::make();
    failure_of("UpdateHost", {{"uuid", there.str()}, {"managementIp", "10.0.0.8"}, {"name", "x"}});
    EXPECT_EQ(shown()["managementIp"], "10.0.0.7");
    EXPECT_EQ(shown()["name"], "moved");
}

TEST_F(KnownPeer, ItsRoomCountsWhileItIsConnectedAndEnabled) {
    query("QueryHost");
    EXPECT_EQ(call("GetCpuMemoryCapacity", {{"all", "true"}})["totalCpu"], 120);
    facts.host.status = ConnectionStatus::disconnected;
    failure_of("ReconnectHost", {{"uuid", there.str()}});
    EXPECT_EQ(call("GetCpuMemoryCapacity", {{"all", "true"}})["totalCpu"], 80);
}

}  // namespace
}  // namespace hvagent::operations
