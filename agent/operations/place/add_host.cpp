#include <set>
#include <thread>

#include "agent/identity/secret_hash.h"
#include "agent/operations/place/handlers.h"
#include "agent/operations/place/peer_hosts.h"
#include "agent/peers/introduction.h"
#include "agent/peers/peer_url.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

constexpr int most_attempts = 5;
constexpr milliseconds first_pause{100};  // before tokens that crossed are agreed on anew

[[noreturn]] void refuse(const std::string& why) {
    throw Error(Code::invalid_argument, why);
}

// agentPort::8443, agentScheme::https; what is not said is as it is with us.
std::string url_of(const Services& services, const AddHost& params) {
    std::string scheme = peers::own_scheme(services.settings);
    int port = peers::own_port(services.settings);
    for (const std::string& tag : params.tags.system) {
        const auto separator = tag.find("::");
        const std::string name = tag.substr(0, separator);
        const std::string value = separator == std::string::npos ? "" : tag.substr(separator + 2);
        if (name == "agentScheme" && (value == "http" || value == "https")) {
            scheme = value;
        } else if (name == "agentPort" && !value.empty() && value.size() <= 5 &&
                   value.find_first_not_of("0123456789") == std::string::npos && std::stoi(value) >= 1 &&
                   std::stoi(value) <= 65535) {
            port = std::stoi(value);
        } else {
            refuse("no system tag of a host matches '" + tag +
                   "'; there are agentPort::1..65535 and agentScheme::http|https");
        }
    }
    if (port == 0)
        refuse("[http] listen has no fixed port here, so that of the other agent cannot be the same: say agentPort");
    return peers::peer_url(scheme, params.management_ip, port);
}

// What the other agent is told about us.
peers::Introduction about_us(const Services& services, const AddHost& params, const std::string& their_url) {
    const Host own = services.inventory.get<Host>(services.host);
    if (params.uuid == own.uuid) refuse("parameter 'resourceUuid': " + own.uuid.str() + " is this host itself");
    peers::Introduction us;
    us.host = own.uuid;
    us.name = own.name;
    us.management_ip = own.management_ip;
    us.url = peers::own_url(services.settings, own.management_ip);
    us.token = peers::new_token();
    us.expected = params.uuid;
    if (peers::own_port(services.settings) == 0)
        refuse("[http] listen has no fixed port here: other hosts could not find this one again");
    if (peers::is_loopback_url(us.url) && !peers::is_loopback_url(their_url))
        refuse("this host is known as " + us.url +
               ", which other hosts cannot reach: set [http] listen, and [host] management_ip, to an address that they can");
    return us;
}

void check_ssh(const AddHost& params) {
    if (params.ssh_port != AddHost().ssh_port)
        refuse("parameter 'sshPort' is " + std::to_string(params.ssh_port) +
               ", but ssh is not used between hosts: leave it out, and say where the agent listens by the system tag "
               "agentPort");
}

class Addition {
public:
    Addition(Services& services, Job& job, const AddHost& params)
        : services_(services), params_(params), job_(job), url_(url_of(services, params)) {}

    json run() {
        Flow(job_)
            .step("introduce this host", [this] { introduce(); })
            .step(
                "record the host", [this] { record(); }, [this] { take_back(); })
            .step("let the other host call back", [this] { be_called_back(); })
            .run();
        log::info("a host was added", {{"host", facts_.host.uuid.str()}, {"url", url_}});
        return services_.inventory.answer("Host", facts_.host.uuid.str());
    }

private:
    void introduce() {
        us_ = about_us(services_, params_, url_);
        const Peers::Login login{params_.username, identity::sha512_hex(params_.password)};
        try {
            answer_ = peers::parse_answer(services_.peers.introduce(url_, login, peers::to_json(us_)));
        } catch (const Error& error) {
            if (error.code() != Code::authentication_failed) throw;
            throw Error(error.code(),
                        error.details() + "; username and password are those of the agent's account, not of ssh", error);
        }
        facts_ = peers::parse_facts(answer_.facts, params_.uuid);
        if (facts_.host.uuid == services_.host) refuse("the agent at " + url_ + " is of this host itself");
    }

    // What an earlier life of the job wrote is taken back as well; a host that was known before is not.
    void record() {
        const HostId host = facts_.host.uuid;
        note_whether_known(host);
        Host record;
        record.uuid = host;
        record.name = params_.name;
        record.description = params_.description;
        record.management_ip = params_.management_ip;
        record.username = params_.username;
        record.cluster = params_.cluster;
        services_.inventory.transaction([&] {
            record.zone = services_.inventory.get<Cluster>(params_.cluster).zone;
            peers::remember_peer(services_.inventory, record, url_, answer_.token, us_.token);
            for (const char* name : {"agentPort", "agentScheme"}) services_.inventory.remove_system_tags(host.str(), name);
            for (const std::string& tag : params_.tags.system)
                services_.inventory.add_tag("Host", host.str(), tag, "System");
            add_user_tags(host);
        });
        peers::write_facts(services_.inventory, facts_, services_.clock.now());
        services_.consider_peer(host);
    }

    void note_whether_known(const HostId& host) {
        if (is_noted_) return;
        const auto noted = job_.recall("was known");
        was_known_ = noted ? noted->get<bool>() : services_.inventory.find<Peer>(host).has_value();
        if (!noted) job_.remember("was known", was_known_);
        is_noted_ = true;
    }

    // Both directions must work. Where each side adds the other at the same moment their tokens may cross: then they are
    // agreed on anew, by one side before the other.
    void be_called_back() {
        const HostId host = facts_.host.uuid;
        for (int attempt = 1;; ++attempt) {
            try {
                services_.peers.ask(host, "call-back", json::object(), 2 * peer_patience);
                return;
            } catch (const Error& error) {
                if (error.code() != Code::authentication_failed || attempt == most_attempts) throw;
            }
            std::this_thread::sleep_for((services_.host < host ? 1 : 3) * attempt * first_pause);
            job_.cancellation().check();
            introduce();
            record();
        }
    }

    void add_user_tags(const HostId& host) {
        std::set<std::string> known;
        for (const Tag& tag : services_.inventory.tags_of(host.str(), "User")) known.insert(tag.tag);
        for (const std::string& tag : params_.tags.user)
            if (known.insert(tag).second) services_.inventory.add_tag("Host", host.str(), tag, "User");
    }

    void take_back() {
        if (was_known_ || !services_.inventory.find<Peer>(facts_.host.uuid)) return;
        try {
            services_.peers.ask(facts_.host.uuid, "leave", json::object(), peer_patience);
        } catch (const Error& error) {
            log::warning("the other host still knows this one",
                         {{"host", facts_.host.uuid.str()}, {"error", error.details()}});
        }
        peers::forget_peer(services_.inventory, facts_.host.uuid);
        services_.consider_peer(facts_.host.uuid);
    }

    Services& services_;
    const AddHost& params_;
    Job& job_;
    const std::string url_;
    peers::Introduction us_;
    peers::IntroductionAnswer answer_;
    peers::PeerFacts facts_;
    bool is_noted_ = false;
    bool was_known_ = false;
};

}  // namespace

json add_host(Services& services, Job& job, const AddHost& params) {
    check_ssh(params);
    return Addition(services, job, params).run();
}

}  // namespace hvagent::operations
