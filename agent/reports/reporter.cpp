#include "agent/reports/reporter.h"

#include <algorithm>
#include <set>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::reports {
namespace {

constexpr std::size_t largest_result = 64 * 1024;
constexpr std::size_t most_controllers = 16;  // each has a thread

json shown(const Controller& controller) {
    return {{"uuid", controller.uuid},
            {"url", controller.url},
            {"dialect", controller.dialect},
            {"jobResults", controller.wants_jobs},
            {"hasToken", !controller.token.empty()},
            {"isConfigured", controller.is_configured}};
}

Controller parse_controller(const json& body) {
    if (!body.is_object())
        throw Error(Code::invalid_argument, "the body must be {\"url\", \"token\"?, \"dialect\"?, \"jobResults\"?}");
    Controller controller;
    for (const auto& [key, value] : body.items()) {
        if (key == "jobResults") {
            if (!value.is_boolean()) throw Error(Code::invalid_argument, "'jobResults' must be true or false");
            controller.wants_jobs = value.get<bool>();
            continue;
        }
        std::string* const member = key == "url"       ? &controller.url
                                    : key == "token"   ? &controller.token
                                    : key == "dialect" ? &controller.dialect
                                                       : nullptr;
        if (!member) throw Error(Code::invalid_argument, "a controller has no \"" + key.substr(0, 40) + "\"");
        if (!value.is_string()) throw Error(Code::invalid_argument, "'" + key + "' must be a text");
        *member = value.get<std::string>();
    }
    check_controller(controller);
    return controller;
}

}  // namespace

Reporter::Reporter(Database& database, inventory::Inventory& inventory, HttpClient& http, const Clock& clock, HostId host,
                   ReporterSettings settings)
    : inventory_(inventory),
      clock_(clock),
      host_(std::move(host)),
      settings_(std::move(settings)),
      log_(database, clock, settings_.bounds),
      store_(log_),
      parts_{log_,
             store_,
             http,
             clock,
             settings_.link,
             host_.str(),
             [this] { return this->host(); },
             [this] { return vms_part(inventory_, guest_of_); }} {}

json Reporter::host() const {
    json part = host_part(inventory_, host_);
    if (facts_) part["facts"] = facts_();
    return part;
}

Reporter::~Reporter() {
    stop();
}

void Reporter::open() {
    log_.open();
    store_.open();
    inventory_.log_vm_changes_with([this](SqlSession& session, const std::vector<inventory::VmChange>& changes) {
        json items = json::array();
        for (const inventory::VmChange& change : changes) items.push_back(change_part(change, clock_.now(), guest_of_));
        log_.append(session, vm_states, items);
    });
    inventory_.on_vm_change([this](const VmId&) { news(); });
}

void Reporter::start() {
    const std::lock_guard one_at_a_time(changing_);
    adopt_configured();
    for (Controller& controller : store_.list()) begin_link(std::move(controller));
    const std::lock_guard lock(mutex_);
    running_ = true;
}

void Reporter::adopt_configured() {
    std::set<std::string> named;
    for (Controller controller : settings_.controllers) {
        check_controller(controller);
        controller.is_configured = true;
        named.insert(controller.url);
        store_.put(std::move(controller));
    }
    for (const Controller& known : store_.list())
        if (known.is_configured && !named.contains(known.url)) store_.remove(known.uuid);
}

void Reporter::stop() {
    const std::lock_guard one_at_a_time(changing_);
    Links ending;
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
        ending.swap(links_);
    }
    for (const auto& link : ending) link->stop();  // all first, then each is waited for
}

void Reporter::begin_link(Controller controller) {
    auto link = std::make_unique<Link>(parts_, std::move(controller));
    const std::lock_guard lock(mutex_);
    links_.push_back(std::move(link));
}

void Reporter::end_link(const std::string& uuid) {
    Links ending;  // waited for outside of the lock
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return link->controller().uuid == uuid; });
    if (found != links_.end()) ending.splice(ending.begin(), links_, found);
}

void Reporter::host_event(const std::string& event, const VmId& vm, const std::string& details, Time at) {
    json one = {{"event", event}, {"at", iso_time(at)}};
    if (!vm.empty()) one["vmUuid"] = vm.str();
    if (!details.empty()) one["details"] = details;
    try {
        log_.append(host_events, json::array({one}));
    } catch (...) {
        log::error("an event cannot be logged", {{"event", event}, {"error", current_error().details()}});
    }
    news();
}

void Reporter::guest_changed(const VmId& vm, const json& guest) {
    try {
        log_.append(vm_guests, json::array({json{{"uuid", vm.str()}, {"guest", guest}}}));
    } catch (...) {
        log::error("what is known of a guest cannot be logged", {{"vm", vm.str()}, {"error", current_error().details()}});
    }
    news();
}

void Reporter::log_job(SqlSession& session, const jobs::EndedJob& job) {
    json one = {{"uuid", job.id.str()},
                {"operation", job.operation},
                {"success", job.succeeded},
                {"createdAt", iso_time(job.created)},
                {"finishedAt", iso_time(job.finished)}};
    // What is larger is asked for at /api-jobs/<uuid>.
    if (job.answer.size() <= largest_result)
        one[job.succeeded ? "result" : "error"] = json::parse(job.answer, nullptr, false);
    log_.append(session, job_results, json::array({std::move(one)}));
}

json Reporter::serve_controllers(const std::string& method, const std::string& rest, const json& body) {
    if (method == "GET" && rest.empty()) return list_controllers();
    if (method == "POST" && rest.empty()) return add_controller(body);
    if (method != "DELETE") throw Error(Code::wrong_method, "controllers take GET, POST and DELETE, not " + method);
    const bool has_url = body.is_object() && body.contains("url") && body["url"].is_string();
    if (rest.empty() && !has_url)
        throw Error(Code::bad_request, "DELETE needs the uuid in the path, or {\"url\"} in the body");
    remove_controller(rest.empty() ? body["url"].get<std::string>() : rest);
    return json::object();
}

void Reporter::news() {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& link : links_) link->news();
    }
    const std::lock_guard lock(listener_mutex_);
    if (listener_) listener_();
}

std::vector<ControllerClock> Reporter::clocks() const {
    std::vector<ControllerClock> clocks;
    const std::lock_guard lock(mutex_);
    for (const auto& link : links_)
        if (const auto ahead = link->clock_ahead()) clocks.push_back({link->controller().url, *ahead});
    return clocks;
}

json Reporter::list_controllers() const {
    json inventories = json::array();
    const std::vector<Controller> all = store_.list();
    const std::lock_guard lock(mutex_);
    for (const Controller& controller : all) {
        json one = shown(controller);
        for (const auto& link : links_)
            if (link->controller().uuid == controller.uuid) one.update(link->status());
        inventories.push_back(std::move(one));
    }
    return {{"inventories", std::move(inventories)}};
}

json Reporter::add_controller(const json& body) {
    Controller controller = parse_controller(body);
    const std::lock_guard one_at_a_time(changing_);
    const std::vector<Controller> all = store_.list();
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const Controller& one) { return one.url == controller.url; });
    if (known != all.end() && known->is_configured)
        throw Error(Code::invalid_argument,
                    "the controller " + controller.url + " stands in the configuration; change it there");
    if (known == all.end() && all.size() >= most_controllers)
        throw Error(Code::operation_failed, "there are " + std::to_string(most_controllers) + " controllers already");
    if (known != all.end()) end_link(known->uuid);
    controller = store_.put(std::move(controller));
    begin_link(controller);
    log::info("controller added",
              {{"controller", controller.uuid}, {"url", controller.url}, {"dialect", controller.dialect}});
    return {{"inventory", shown(controller)}};
}

void Reporter::remove_controller(const std::string& uuid_or_url) {
    const std::lock_guard one_at_a_time(changing_);
    for (const Controller& known : store_.list()) {
        if (known.uuid != uuid_or_url && known.url != uuid_or_url) continue;
        if (known.is_configured)
            throw Error(Code::invalid_argument,
                        "the controller " + known.url + " stands in the configuration; remove it there");
        end_link(known.uuid);
        store_.remove(known.uuid);
        log::info("controller removed", {{"controller", known.uuid}});
        return;
    }
    throw Error(Code::not_found, "there is no controller \"" + uuid_or_url.substr(0, 200) + "\"");
}

EventFeed::Place Reporter::find(const std::string& id) const {
    Place place{0, true};
    const std::size_t dash = id.find('-');
    if (dash == std::string::npos || id.size() - dash > 19) return place;
    const std::string number = id.substr(dash + 1);
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) return place;
    log_.database().read([&](SqlSession& session) {
        const auto position = log_.position_of(session, id.substr(0, dash), std::stoll(number));
        if (position && log_.reaches(session, *position)) place = {*position, false};
    });
    return place;
}

FeedEvent Reporter::picture_event(SqlSession& session, Place& place) const {
    place = {log_.newest(session), false};
    const std::int64_t sequence = log_.sequence_at(place.position);
    const json data = {{"kind", "snapshot"},
                       {"bootId", log_.boot()},
                       {"sequence", sequence},
                       {"host", host()},
                       {"vms", vms_part(inventory_, guest_of_)}};
    return {log_.boot() + "-" + std::to_string(sequence), "snapshot",
            data.dump(-1, ' ', false, json::error_handler_t::replace)};
}

std::vector<FeedEvent> Reporter::read(Place& place, std::size_t most) const {
    std::vector<FeedEvent> events;
    log_.database().read([&](SqlSession& session) {
        if (place.needs_picture || !log_.reaches(session, place.position)) {
            events.push_back(picture_event(session, place));
            return;
        }
        for (const Report& report : log_.after(session, place.position, most)) {
            const std::string head =
                json{{"kind", report.kind}, {"bootId", report.boot}, {"sequence", report.sequence}}.dump();
            events.push_back(
                {report.id(), report.kind,
                 head.substr(0, head.size() - 1) + ",\"" + list_name(report.kind) + "\":" + report.items + "}"});
            place.position = report.position;
        }
    });
    return events;
}

std::int64_t Reporter::newest() const {
    std::int64_t position = 0;
    log_.database().read([&](SqlSession& session) { position = log_.newest(session); });
    return position;
}

void Reporter::on_news(std::function<void()> listener) {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
}

}  // namespace hvagent::reports
