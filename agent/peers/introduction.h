// Two agents become peers: what one says when it is introduced to the other, what that one answers, and the records that
// both keep.
#pragma once
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "hvagent/ids.h"
#include "hvagent/model/host.h"

namespace hvagent::peers {

using nlohmann::json;

struct Introduction {
    HostId host;  // of who introduces itself
    std::string name;
    std::string management_ip;
    std::string url;
    std::string token;  // secret: what the reader shows to the writer
    HostId expected;    // who the writer thinks it speaks to; empty: anyone
};
struct IntroductionAnswer {
    std::string token;  // secret: what the writer shows to the reader
    json facts;
};

json to_json(const Introduction& introduction);
// Error(host_connection) when it is none.
IntroductionAnswer parse_answer(const json& answer);

std::string new_token();  // 256 random bits in hex

// Keeps the link, and the host if it is new; of a known host the name and description stay unless `host` brings some.
// What was shown to us before stays good until the new token came once: the two sides do not change at the same moment.
void remember_peer(inventory::Inventory& inventory, Host host, const std::string& url, const std::string& token_out,
                   const std::string& token_in);
// Not there is a success.
void forget_peer(inventory::Inventory& inventory, const HostId& peer);

// The side that was called. `own_facts`: of this host. Error(invalid_argument) for what is no introduction,
// Error(operation_failed) when it is ours, or meant for another.
json accept_introduction(inventory::Inventory& inventory, const HostId& own_host, const json& sent, const json& own_facts);

}  // namespace hvagent::peers
