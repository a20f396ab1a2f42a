#include "agent/state/guest_part.h"

namespace hvagent::state {
namespace {

using nlohmann::json;

constexpr std::size_t most_addresses = 64;
constexpr std::size_t longest_name = 255;

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

void add_addresses(json& list, const std::vector<GuestAddress>& addresses, const char* source) {
    for (const GuestAddress& one : addresses) {
        if (list.size() >= most_addresses) return;
        if (is_loopback(one.address)) continue;
        json entry{{"address", one.address.substr(0, longest_name)}, {"prefix", one.prefix}, {"source", source}};
        if (!one.mac.empty()) entry["mac"] = one.mac.substr(0, longest_name);
        if (!one.interface.empty()) entry["interface"] = one.interface.substr(0, longest_name);
        list.push_back(std::move(entry));
    }
}

}  // namespace

json guest_part(const GuestSight& sight) {
    json addresses = json::array();
    add_addresses(addresses, sight.leased, "dhcp");
    if (sight.told) add_addresses(addresses, *sight.told, "guestAgent");
    json guest{{"guestAgent", sight.agent_connected ? "Connected" : "Disconnected"}, {"addresses", std::move(addresses)}};
    if (!sight.hostname.empty()) guest["hostname"] = sight.hostname.substr(0, longest_name);
    if (!sight.agent_failure.empty()) guest["failure"] = sight.agent_failure;
    return guest;
}

}  // namespace hvagent::state
