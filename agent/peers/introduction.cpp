#include "agent/peers/introduction.h"

#include "agent/identity/secret_hash.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::peers {
namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t longest_text = 2048;

std::string text_of(const json& sent, const char* key, bool is_required) {
    const auto found = sent.find(key);
    if (found == sent.end() && !is_required) return "";
    if (found == sent.end() || !found->is_string() || found->get_ref<const std::string&>().empty() ||
        found->get_ref<const std::string&>().size() > longest_text)
        throw Error(Code::invalid_argument, std::string("an introduction needs the text '") + key + "'");
    return *found;
}

Introduction parse_introduction(const json& sent) {
    if (!sent.is_object()) throw Error(Code::invalid_argument, "an introduction is a JSON object");
    Introduction introduction;
    introduction.host = HostId(text_of(sent, "hostUuid", true));
    introduction.name = text_of(sent, "name", true);
    introduction.management_ip = text_of(sent, "managementIp", true);
    introduction.url = text_of(sent, "url", true);
    introduction.token = text_of(sent, "token", true);
    introduction.expected = HostId(text_of(sent, "expectedHostUuid", false));
    if (!is_uuid(introduction.host.str()))
        throw Error(Code::invalid_argument, "'hostUuid' of an introduction must be 32 hex digits");
    if (!introduction.url.starts_with("http://") && !introduction.url.starts_with("https://"))
        throw Error(Code::invalid_argument, "'url' of an introduction must begin with http:// or https://");
    if (introduction.token.size() < 2 * token_bytes ||
        introduction.token.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw Error(Code::invalid_argument, "'token' of an introduction must be 64 hex digits");
    return introduction;
}

}  // namespace

json to_json(const Introduction& introduction) {
    json sent{{"hostUuid", introduction.host.str()},
              {"name", introduction.name},
              {"managementIp", introduction.management_ip},
              {"url", introduction.url},
              {"token", introduction.token}};
    if (!introduction.expected.empty()) sent["expectedHostUuid"] = introduction.expected.str();
    return sent;
}

IntroductionAnswer parse_answer(const json& answer) {
    const json token = answer.is_object() ? answer.value("token", json()) : json();
    const json facts = answer.is_object() ? answer.value("facts", json()) : json();
    if (!token.is_string() || !facts.is_object())
        throw Error(Code::host_connection, "the other agent's answer to an introduction cannot be read");
    return {token, facts};
}

std::string new_token() {
    return identity::random_hex(token_bytes);
}

void remember_peer(inventory::Inventory& inventory, Host host, const std::string& url, const std::string& token_out,
                   const std::string& token_in) {
    inventory.transaction([&] {
        if (inventory.find<Host>(host.uuid))
            inventory.modify<Host>(host.uuid, [&](Host& known) {
                if (!host.name.empty()) known.name = host.name;
                if (!host.description.empty()) known.description = host.description;
                if (!host.username.empty()) known.username = host.username;
                known.management_ip = host.management_ip;
                known.zone = host.zone;
                known.cluster = host.cluster;
            });
        else
            inventory.insert(host);
        const auto agree = [&](Peer& peer) {
            peer.former_token_in_hash = peer.token_in_hash;
            peer.url = url;
            peer.token_out = token_out;
            peer.token_in_hash = identity::sha256_hex(token_in);
        };
        if (inventory.find<Peer>(host.uuid)) {
            inventory.modify<Peer>(host.uuid, agree);
            return;
        }
        Peer peer;
        peer.uuid = host.uuid;
        agree(peer);
        inventory.insert(peer);
    });
}

void forget_peer(inventory::Inventory& inventory, const HostId& peer) {
    inventory.transaction([&] {
        inventory.remove<Peer>(peer);
        inventory.remove<Host>(peer);
    });
}

json accept_introduction(inventory::Inventory& inventory, const HostId& own_host, const json& sent, const json& own_facts) {
    const Introduction introduction = parse_introduction(sent);
    const Host own = inventory.get<Host>(own_host);
    if (introduction.host == own_host)
        throw Error(Code::operation_failed,
                    "this agent is of the host " + own_host.str() +
                        " as well: a host is not added to itself, and a copied state directory makes "
                        "two agents of one host");
    if (!introduction.expected.empty() && introduction.expected != own_host)
        throw Error(Code::operation_failed, "this agent is of the host " + own_host.str() + ", not of " +
                                                introduction.expected.str() + "; leave resourceUuid out, or give that one");
    Host host;
    host.uuid = introduction.host;
    host.zone = own.zone;
    host.cluster = own.cluster;
    host.management_ip = introduction.management_ip;
    const auto known = inventory.find<Host>(host.uuid);
    if (known) {
        host.zone = known->zone;
        host.cluster = known->cluster;
    } else {
        host.name = introduction.name;
    }
    const std::string token = new_token();
    remember_peer(inventory, host, introduction.url, introduction.token, token);
    log::info("another host was introduced", {{"host", host.uuid.str()}, {"url", introduction.url}});
    return {{"token", token}, {"facts", own_facts}};
}

}  // namespace hvagent::peers
