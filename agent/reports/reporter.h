// The one who reports: keeps the log, a link per controller, and what readers of the event stream see.
#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/inventory/inventory.h"
#include "agent/jobs/engine.h"
#include "agent/reports/link.h"
#include "agent/reports/picture.h"
#include "hvagent/event_feed.h"

namespace hvagent::reports {

struct ReporterSettings {
    LogBounds bounds;
    LinkSettings link;
    std::vector<Controller> controllers;  // of the configuration
};

struct ControllerClock {
    std::string url;
    milliseconds ahead;  // of ours, at its last answer; 0 within what the answer lets us know
};

// Thread-safe.
class Reporter final : public EventFeed {
public:
    Reporter(Database& database, inventory::Inventory& inventory, HttpClient& http, const Clock& clock, HostId host,
             ReporterSettings settings);
    ~Reporter() override;

    // Makes the tables; from now on changes of VMs are logged. After migrate(), before the first change.
    void open();
    // Sends to the controllers. What the configuration does not name any more is forgotten.
    void start();
    void stop();

    // "LibvirtLost", "VmIoError"...; `vm` may be empty.
    void host_event(const std::string& event, const VmId& vm, const std::string& details, Time at);
    // What has become known of the guest of a VM.
    void guest_changed(const VmId& vm, const json& guest);
    // Inside the write that ends the job.
    void log_job(SqlSession& session, const jobs::EndedJob& job);
    void news();

    // GET, POST {"url"...}, DELETE <uuid> or {"url"}: the three below. Error(wrong_method).
    json serve_controllers(const std::string& method, const std::string& rest, const json& body);
    // {"inventories": [...]}, without tokens.
    json list_controllers() const;
    // Of those that have said what time it is.
    std::vector<ControllerClock> clocks() const;
    // {"url", "token"?, "dialect"?, "jobResults"?}. Error(invalid_argument).
    json add_controller(const json& body);
    // By uuid or URL. Error(not_found); Error(invalid_argument) for one of the configuration.
    void remove_controller(const std::string& uuid_or_url);

    Place find(const std::string& id) const override;
    std::vector<FeedEvent> read(Place& place, std::size_t most) const override;
    std::int64_t newest() const override;
    void on_news(std::function<void()> listener) override;

    // Members of "facts" in the host's part of reports; must not ask anybody who may hang. Set before open().
    void describe_host_with(std::function<json()> facts) { facts_ = std::move(facts); }

    // The member "guest" of VMs; null: nothing is known. Must not ask anybody, nor write. Set before open().
    void describe_guests_with(GuestOf guest_of) { guest_of_ = std::move(guest_of); }

private:
    json host() const;
    using Links = std::list<std::unique_ptr<Link>>;
    void adopt_configured();
    void begin_link(Controller controller);
    void end_link(const std::string& uuid);
    FeedEvent picture_event(SqlSession& session, Place& place) const;

    inventory::Inventory& inventory_;
    const Clock& clock_;
    const HostId host_;
    const ReporterSettings settings_;
    std::function<json()> facts_;
    GuestOf guest_of_;
    mutable ReportLog log_;
    ControllerStore store_;
    const LinkParts parts_;
    std::mutex changing_;  // one change of the controllers at a time; taken before mutex_
    mutable std::mutex mutex_;
    Links links_;
    bool running_ = false;
    mutable std::mutex listener_mutex_;
    std::function<void()> listener_;
};

}  // namespace hvagent::reports
