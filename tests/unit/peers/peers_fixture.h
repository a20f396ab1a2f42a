// An agent's side of its links, with nothing but its inventory.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/identity/secret_hash.h"
#include "agent/inventory/inventory.h"
#include "agent/peers/introduction.h"
#include "agent/peers/peer_client.h"
#include "agent/peers/peer_desk.h"
#include "agent/peers/peer_facts.h"
#include "agent/peers/peer_files.h"
#include "agent/peers/peer_keeper.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_peers.h"
#include "tests/fakes/movable_clock.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::peers {

using testing::HasSubstr;
using testing::Not;

inline const HostId here{"5f1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b"};
inline const HostId there{"6a1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b"};
inline const std::string url_there = "https://10.0.0.2:8080";

// What the agent `there` tells of itself.
inline PeerFacts facts_there() {
    PeerFacts facts;
    facts.host.uuid = there;
    facts.host.name = "there";
    facts.host.status = ConnectionStatus::connected;
    facts.host.cpu_num = 4;
    facts.host.total_memory = 16 * GiB;
    facts.host.available_memory = 8 * GiB;
    facts.boot_id = "b1";
    facts.agent_version = "1.0";
    facts.libvirt_version = "9.0.0";
    facts.qemu_version = "7.2.0";
    return facts;
}

class PeersTest : public testing::Test {
protected:
    PeersTest() {
        inventory.migrate();
        Host own;
        own.uuid = here;
        own.name = "here";
        own.zone = ZoneId::make();
        own.cluster = ClusterId::make();
        inventory.insert(own);
    }
    void know_there(const std::string& url = url_there) {
        Host host;
        host.uuid = there;
        host.name = "there";
        host.management_ip = "10.0.0.2";
        remember_peer(inventory, host, url, token_out, token_in);
    }
    Host host_there() { return inventory.get<Host>(there); }

    const std::string token_out = new_token(), token_in = new_token();
    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    config::Settings settings;
    FakeFileSystem disk;
    FakeHttpClient http{disk};
    FakePeers peers;
};

}  // namespace hvagent::peers
