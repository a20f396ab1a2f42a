// Requests to other agents.
#pragma once
#include "agent/config/settings.h"
#include "agent/inventory/inventory.h"
#include "hvagent/drivers/http_client.h"
#include "hvagent/peers.h"

namespace hvagent::peers {

class PeerClient final : public Peers {
public:
    // `http` verifies certificates by [peers] ca_file.
    PeerClient(const config::Settings& settings, inventory::Inventory& inventory, HttpClient& http, HostId own_host);

    nlohmann::json ask(const HostId& peer, const std::string& verb, const nlohmann::json& body,
                       milliseconds timeout) override;
    nlohmann::json ask_at(const HostId& peer, const std::string& url, const std::string& verb, const nlohmann::json& body,
                          milliseconds timeout) override;
    std::string url_of(const HostId& peer) const override;
    void fetch(const HostId& peer, const std::string& ticket, const std::string& path, Bytes limit,
               const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) override;
    nlohmann::json introduce(const std::string& url, const Login& login, const nlohmann::json& about_us) override;

private:
    // Where an answer is expected from, for error texts.
    struct Place {
        std::string name;  // of the host
        std::string url;
        std::string at() const { return name.ends_with(url) ? "" : " at " + url; }
    };
    nlohmann::json send(const Place& place, HttpRequest request);
    void check_url(const Place& place) const;
    void log_out(const std::string& url, const std::string& session);

    const config::Settings& settings_;
    inventory::Inventory& inventory_;
    HttpClient& http_;
    const HostId own_host_;
};

}  // namespace hvagent::peers
