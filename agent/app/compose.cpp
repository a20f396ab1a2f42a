#include "agent/app/compose.h"

#include <filesystem>

#include "agent/api/catalog_text.h"
#include "agent/api/openapi.h"
#include "agent/api/reference_text.h"
#include "agent/api/schema.h"
#include "agent/app/host_paths.h"
#include "agent/app/part_settings.h"
#include "agent/app/store_copies.h"
#include "agent/http/server.h"
#include "agent/identity/api.h"
#include "agent/identity/identity.h"
#include "agent/inventory/inventory.h"
#include "agent/jobs/engine.h"
#include "agent/metrics/agent_metrics.h"
#include "agent/metrics/metrics_page.h"
#include "agent/operations/catalog.h"
#include "agent/operations/defaults.h"
#include "agent/operations/host/host_view.h"
#include "agent/operations/jobs/api.h"
#include "agent/operations/migration/migrations.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/place/peer_hosts.h"
#include "agent/operations/scheduler/scheduler_keeper.h"
#include "agent/operations/services.h"
#include "agent/operations/storage/directories.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/peers/peer_client.h"
#include "agent/peers/peer_desk.h"
#include "agent/peers/peer_files.h"
#include "agent/peers/peer_keeper.h"
#include "agent/reports/host_watch.h"
#include "agent/reports/reporter.h"
#include "agent/state/certificate_watch.h"
#include "agent/state/guest_watch.h"
#include "agent/state/io_error_keeper.h"
#include "agent/state/keepers.h"
#include "agent/state/settle_keeper.h"
#include "agent/state/shutdown_keeper.h"
#include "agent/state/storage_watch.h"
#include "agent/state/vm_states.h"
#include "drivers/http_client/curl_client.h"
#include "drivers/libvirt/event_loop.h"
#include "drivers/libvirt/libvirt_host.h"
#include "drivers/procfs/host_load.h"
#include "drivers/qemu_img/qemu_img.h"
#include "drivers/sqlite/sqlite_database.h"
#include "drivers/storage/local_storage_files.h"
#include "drivers/systemd/systemd_host.h"
#include "hvagent/log.h"
#include "hvagent/timer.h"

namespace hvagent::app {
namespace {

using operations::Services;

std::string_view name_of(JobClass kind) {
    switch (kind) {
        case JobClass::quick: return "quick";
        case JobClass::power: return "power";
        case JobClass::copy: return "copy";
        case JobClass::migrate: break;
    }
    return "migrate";
}

std::string_view name_of(libvirt::CallEnd end) {
    switch (end) {
        case libvirt::CallEnd::done: return "done";
        case libvirt::CallEnd::failed: return "failed";
        case libvirt::CallEnd::timed_out: break;
    }
    return "timed_out";
}

std::vector<api::ResourceShape> all_shapes() {
    std::vector<api::ResourceShape> shapes = operations::resource_shapes();
    for (auto& others : {identity::identity_shapes(), operations::job_shapes()})
        shapes.insert(shapes.end(), others.begin(), others.end());
    return shapes;
}

// One place for each counter, whatever counts.
jobs::JobCounters job_counters(metrics::AgentMetrics& counted) {
    return {[&counted](const jobs::JobCounters::End& end) {
                counted.job_ended(end.operation, name_of(end.kind), end.succeeded, end.waited, end.ran);
            },
            [&counted](std::string_view result) { counted.webhook_tried(result); }};
}

libvirt::CallObserver call_counter(metrics::AgentMetrics& counted) {
    return [&counted](std::string_view kind, libvirt::CallEnd end, std::chrono::microseconds took) {
        counted.libvirt_called(kind, name_of(end), took);
    };
}

metrics::JobsLoad load_of(const jobs::JobEngine& engine) {
    const jobs::Load load = engine.load();
    metrics::JobsLoad shown{{}, load.pending_webhooks};
    for (std::size_t i = 0; i < load.classes.size(); ++i)
        shown.classes.push_back(
            {std::string(name_of(static_cast<JobClass>(i))), load.classes[i].waiting, load.classes[i].running});
    return shown;
}

metrics::Promised promised_by(operations::HostCapacity& capacity) {
    const operations::CapacityFigures figures = capacity.figures();
    return {static_cast<double>(figures.used_cpus), static_cast<double>(figures.total_cpus), figures.used_memory,
            figures.total_memory};
}

nlohmann::json shown(const state::KnownGuest& guest) {
    nlohmann::json part = guest.part;
    part["observedAt"] = iso_time(guest.at);
    return part;
}

std::string innermost_details(const nlohmann::json& error) {
    return error.contains("cause") ? innermost_details(error.at("cause")) : error.value("details", "");
}

operations::OwnJobs own_jobs(const std::function<jobs::JobEngine&()>& engine) {
    return {[engine](const std::string& operation, const nlohmann::json& arguments) {
                return engine().submit_internal(operation, arguments);
            },
            [engine](const JobId& job, Moment until) { return engine().wait(job, until); },
            [engine](const JobId& job) -> std::optional<operations::OwnJobs::End> {
                const auto status = engine().find(job);
                if (!status || !status->is_finished()) return std::nullopt;
                return operations::OwnJobs::End{status->state == jobs::JobStatus::succeeded,
                                                status->error ? innermost_details(*status->error) : ""};
            },
            [engine](const JobId& job) { engine().cancel(job); }};
}

HostId prepare_store(SqliteDatabase& database, const std::string& path, inventory::Inventory& inventory,
                     const config::Settings& settings) {
    copy_before_upgrade(database, path);
    inventory.migrate();
    return operations::make_defaults(inventory, settings);
}

}  // namespace

// In order of construction: each uses only what stands above it.
struct Agent::Parts {
    explicit Parts(config::Settings chosen, const std::string& database_path);

    const config::Settings settings;
    SystemClock clock;
    metrics::AgentMetrics counted;
    procfs::ProcHostLoad load;
    SqliteDatabase database;
    inventory::Inventory inventory;
    CurlClient http_client;
    CurlClient report_client;
    CurlClient peer_http;
    const std::shared_ptr<LastingCommands> copies;
    QemuImg disk_images;
    LocalStorageFiles files;
    libvirt::LibvirtHost libvirt;
    systemd::SystemdHost host_services;
    Timer timer;
    const HostId host;
    reports::Reporter reporter;
    state::VmStates states;
    reports::HostWatch watch;
    state::GuestWatch guest_watch;
    operations::HostCapacity capacity;
    operations::ImageCache image_cache;
    operations::AddressBook addresses;
    operations::Migrations migrations;
    peers::PeerClient peer_client;
    peers::PeerFiles peer_files;
    peers::PeerDesk peer_desk;
    peers::PeerKeeper peer_keeper;
    state::HaKeeper ha;
    state::StorageTrials trials;
    state::StorageWatch storage_watch;
    state::CertificateWatch certificate_watch;
    state::IoErrorKeeper io_errors;
    state::SettleKeeper settling;
    Services services;
    const operations::HostView host_view;
    state::PatientReferences references;
    identity::Identity identity;
    const api::Catalog catalog;
    const std::vector<api::ResourceShape> shapes;
    const api::SchemaBuilder schemas;
    jobs::JobEngine jobs;
    state::ShutdownKeeper shutdown;
    state::ExpiryKeeper expiry;
    operations::SchedulerKeeper schedulers;
    metrics::MetricsPage metrics;
    std::unique_ptr<http::HttpServer> server;

    void submit(const std::string& operation, const nlohmann::json& arguments);
    void tell_of_host(const std::string& event, const std::string& details);
    bool is_over(const JobId& job) const;
    void set_admin_password();
    std::vector<std::string> not_ready_because();
};

Agent::Parts::Parts(config::Settings chosen, const std::string& database_path)
    : settings(std::move(chosen)),
      database(database_path),
      inventory(database, clock),
      http_client(client_settings(settings)),
      report_client(report_client_settings(settings)),
      peer_http(peer_client_settings(settings)),
      copies(std::make_shared<LastingCommands>(lasting_settings(settings))),
      disk_images(image_settings(settings, copies)),
      files(copy_policy(settings)),
      libvirt(libvirt_settings(settings), clock, disk_images),
      timer(clock),
      host(prepare_store(database, database_path, inventory, settings)),
      reporter(database, inventory, report_client, clock, host, report_settings(settings)),
      states(inventory, libvirt.observer(), clock, host),
      watch(states, reporter, clock),
      guest_watch(watch, libvirt.guests(), clock, {},
                  [this](const VmId& vm, const state::KnownGuest& guest) { reporter.guest_changed(vm, shown(guest)); }),
      capacity(settings, inventory, libvirt.inspector(), host),
      image_cache(inventory, files, disk_images),
      addresses(settings, inventory, libvirt.networks()),
      peer_client(settings, inventory, peer_http, host),
      peer_desk(inventory, clock),
      peer_keeper(inventory, peer_client, clock, keeper_settings(settings)),
      ha(inventory, timer, clock, {settings.ha_first_delay, settings.ha_longest_delay},
         [this](const VmId& vm) {
             if (!shutdown.goes_down()) submit("StartVmInstance", {{"uuid", vm.str()}});
         }),
      trials(files),
      storage_watch(inventory, trials, timer, clock, storage_watch_settings(settings),
                    [this](const std::string& event, const std::string& details) { tell_of_host(event, details); }),
      certificate_watch(timer, clock, certificates(settings),
                        [this](const std::string& event, const std::string& details) { tell_of_host(event, details); }),
      io_errors(inventory, timer, clock, trials, io_error_settings(settings),
                {[this](const VmId& vm) {
                     jobs.submit_internal("ResumeVmInstance", {{"uuid", vm.str()}, {"onlyAfterIoError", true}});
                 },
                 [this](const VmId& vm) {
                     jobs.submit_internal("StopVmInstance", {{"uuid", vm.str()}, {"type", "cold"}, {"stopHA", true}});
                 }}),
      settling(inventory, timer, clock, {},
               {[this](const VmId& vm) {
                    return jobs.submit_internal("SettleVmInstance", {{"uuid", vm.str()}});
                },
                [this](const JobId& job) { return is_over(job); }, [this] { return states.connected(); }}),
      services{settings,
               clock,
               inventory,
               states,
               libvirt.power(),
               libvirt.definitions(),
               libvirt.inspector(),
               libvirt.networks(),
               libvirt.disks(),
               libvirt.migration(),
               disk_images,
               files,
               http_client,
               host,
               capacity,
               image_cache,
               addresses,
               migrations,
               peer_client,
               peer_files,
               [this](const VmId& vm) { ha.consider(vm); },
               [this] { schedulers.look(); },
               [this](const HostId& peer) { peer_keeper.look_soon(peer); },
               [this](const HostId& peer) { return operations::why_host_is_needed(inventory, peer); },
               [this](const VmId& vm) { settling.owe(vm); },
               [this](const VmId& vm) { settling.settled(vm); },
               [this] { shutdown.require_host_stays(); },
               [this] { return shutdown.guests_stop_by(); },
               own_jobs([this]() -> jobs::JobEngine& { return jobs; })},
      host_view{services,
                load,
                libvirt.guests(),
                storage_watch,
                HVAGENT_VERSION,
                [this] {
                    std::vector<std::pair<std::string, milliseconds>> clocks;
                    for (const auto& [url, ahead] : reporter.clocks()) clocks.emplace_back(url, ahead);
                    return clocks;
                }},
      references(inventory, states, settings.libvirt_wait),
      identity(database, clock, {settings.session_timeout, static_cast<std::size_t>(settings.max_sessions)}),
      catalog(operations::make_catalog(
          services,
          {identity::identity_api(identity), operations::jobs_api([this]() -> jobs::JobEngine& { return jobs; }, clock)})),
      shapes(all_shapes()),
      schemas(shapes),
      jobs(database, clock, catalog, references, http_client, job_settings(settings)),
      shutdown({inventory, states, libvirt.power(), host_services, clock,
                [this](const std::string& operation, const nlohmann::json& arguments) { submit(operation, arguments); },
                [this](const std::string& event, const std::string& details) {
                    reporter.host_event(event, VmId(), details, clock.now());
                }},
               {settings.shutdown_guests == "stop", settings.shutdown_restart, settings.shutdown_budget}),
      expiry(timer, clock,
             {{"ExpungeVmInstance", settings.expunge_after, [this] { return state::destroyed_vms(inventory); }},
              {"ExpungeDataVolume", settings.volume_expunge_after, [this] { return state::deleted_volumes(inventory); }},
              {"ExpungeImage", settings.image_expunge_after, [this] { return state::deleted_images(inventory); }}},
             [this](const std::string& operation, const nlohmann::json& arguments) { submit(operation, arguments); }),
      schedulers(
          inventory, timer, clock,
          [this](const nlohmann::json& arguments) { return jobs.submit_internal("CreateVolumeSnapshot", arguments); },
          [this](const JobId& job) { return is_over(job); }),
      metrics({clock, inventory, counted, libvirt.stats(), files, load, [this] { return load_of(jobs); },
               [this] { return promised_by(capacity); }, [this] { return states.connected(); }, HVAGENT_VERSION}) {
    libvirt.observe_calls(call_counter(counted));
    jobs.count_with(job_counters(counted));
    jobs.log_endings_with({[this](SqlSession& session, const jobs::EndedJob& job) { reporter.log_job(session, job); },
                           [this](const JobId& job) {
                               copies->end_of(job.str());
                               reporter.news();
                           }});
    jobs.set_decorate([this](const api::Row& row, nlohmann::json result, bool wanted) {
        return schemas.decorate(row, std::move(result), wanted);
    });
    for (const auto& [verb, answer] : migrations.answers(services)) peer_desk.on(verb, answer);
    operations::answer_peers(services, peer_desk);
    peer_keeper.on_peer_change([this](const HostId&, bool connected, const std::string&) {
        if (connected) migrations.look_soon();
    });
    peer_desk.on_heard([this](const HostId& peer) { peer_keeper.heard(peer); });
    inventory.on_vm_change([this](const VmId& vm) {
        ha.consider(vm);
        io_errors.consider(vm);
        settling.consider(vm);
    });
    states.on_held([this](const VmId& vm) { settling.owe(vm); });
}

void Agent::Parts::submit(const std::string& operation, const nlohmann::json& arguments) {
    try {
        jobs.submit_internal(operation, arguments);
    } catch (...) {
        log::error("a job of the agent itself was not accepted",
                   {{"operation", operation}, {"arguments", arguments.dump()}, {"error", current_error().details()}});
    }
}

bool Agent::Parts::is_over(const JobId& job) const {
    const auto status = jobs.find(job);
    return !status || status->is_finished();
}

void Agent::Parts::tell_of_host(const std::string& event, const std::string& details) {
    log::warning("the host has news", {{"event", event}, {"details", details}});
    reporter.host_event(event, VmId(), details, clock.now());
}

void Agent::Parts::set_admin_password() {
    identity.open();
    if (!settings.admin_password.empty()) {
        identity.fix_admin_password(settings.admin_password);
        return;
    }
    identity.make_first_admin_password([this](const std::string& clear_text) {
        const std::string path = settings.state_directory + "/admin-password";
        identity::write_password_file(path, clear_text);
        log::warning("the admin's first password was written to a file", {{"path", path}});
    });
}

std::vector<std::string> Agent::Parts::not_ready_because() {
    std::vector<std::string> reasons;
    const std::string trouble = host_services.libvirt_trouble();
    if (!states.connected()) reasons.push_back("libvirt does not answer" + (trouble.empty() ? "" : ": " + trouble));
    if (shutdown.goes_down()) reasons.push_back("the host shuts down");
    return reasons;
}

Agent::Agent(config::Settings settings, const std::string& database)
    : parts_(std::make_unique<Parts>(std::move(settings), database)) {}

Agent::~Agent() {
    stop();
}

void Agent::start() {
    Parts& parts = *parts_;
    parts.set_admin_password();
    // QEMU's user writes the serial logs through virtlogd; it must be able to pass.
    std::filesystem::create_directories(parts.settings.state_directory + "/serial");
    operations::open_storages(parts.inventory, parts.files);
    parts.files.prepare(parts.settings.state_directory + "/serial");
    parts.reporter.describe_host_with([&parts] { return operations::short_facts(parts.host_view); });
    parts.reporter.describe_guests_with([&parts](const VmId& vm) {
        const auto known = parts.guest_watch.known_of(vm);
        return known ? shown(*known) : nlohmann::json();
    });
    parts.reporter.open();
    parts.states.begin();
    parts.timer.start();
    parts.reporter.start();
    parts.guest_watch.start();
    parts.libvirt.observer().start(parts.guest_watch);
    parts.jobs.start();
    parts.migrations.start(parts.services);
    parts.settling.start();
    parts.shutdown.start();
    parts.expiry.start();
    parts.schedulers.look();
    parts.storage_watch.start();
    parts.certificate_watch.start();
    http::HttpParts http{parts.catalog,
                         parts.shapes,
                         parts.references,
                         parts.jobs,
                         parts.identity,
                         parts.clock,
                         [&parts] { return parts.not_ready_because(); },
                         HVAGENT_VERSION,
                         [&parts] { return parts.metrics.text(); },
                         [&parts](const std::string& method, int status, std::chrono::microseconds took) {
                             parts.counted.request_answered(method, status, took);
                         }};
    http.events = &parts.reporter;
    http.own_paths.push_back(
        {"controllers", [&parts](const std::string& method, const std::string& rest, const nlohmann::json& body) {
             return parts.reporter.serve_controllers(method, rest, body);
         }});
    http.own_paths.push_back(
        {"peers-introduction", [&parts](const std::string& method, const std::string& rest, const nlohmann::json& body) {
             if (method != "POST" || !rest.empty())
                 throw Error(Code::wrong_method, "introductions take POST, not " + method);
             nlohmann::json answer = operations::answer_introduction(parts.services, body);
             parts.peer_keeper.expect(HostId(body.at("hostUuid").get<std::string>()));
             return answer;
         }});
    http.peer_request = [&parts](const std::string& authorization, const std::string& client_address,
                                 const std::string& verb, const nlohmann::json& body) {
        return parts.peer_desk.serve(authorization, client_address, verb, body);
    };
    http.offered_file = [&parts](const std::string& ticket) { return parts.peer_files.find(ticket); };
    for (http::OwnPath& path : host_paths(parts.host_view)) http.own_paths.push_back(std::move(path));
    http.own_paths.push_back(
        {"figures", [&parts](const std::string& method, const std::string& rest, const nlohmann::json&) {
             return read_only(method, rest, "figures", [&parts] { return parts.metrics.figures(); });
         }});
    parts.server = std::make_unique<http::HttpServer>(server_settings(parts.settings), std::move(http));
    parts.server->start();
    parts.peer_keeper.start();
}

void Agent::stop() {
    Parts& parts = *parts_;
    parts.peer_keeper.stop();
    if (parts.server) parts.server->stop();
    parts.migrations.stop();
    parts.shutdown.stop();
    if (parts.shutdown.goes_down()) parts.copies->end_with_daemon();
    parts.jobs.stop();
    parts.timer.stop();
    parts.trials.stop();
    parts.libvirt.observer().stop();
    parts.guest_watch.stop();
    parts.reporter.stop();
}

Agent::Condition Agent::condition() const {
    const jobs::Load load = parts_->jobs.load();
    return {parts_->not_ready_because(), load.running, load.waiting};
}

void Agent::on_timer_thread(std::function<void()> work) {
    parts_->timer.at(parts_->clock.moment(), std::move(work));
}

void Agent::on_libvirt_thread(std::function<void()> work) {
    libvirt::EventLoop::call(std::move(work));
}

void Agent::reload_certificates() {
    if (parts_->server) parts_->server->reload_certificates();
}

int Agent::port() const {
    return parts_->server ? parts_->server->port() : 0;
}

std::string Agent::openapi() const {
    return api::make_openapi(parts_->catalog, parts_->shapes, HVAGENT_VERSION).dump(2);
}

std::string Agent::reference() const {
    return api::make_reference(parts_->catalog, HVAGENT_VERSION);
}

std::string Agent::catalog() const {
    return api::describe_catalog(parts_->catalog, parts_->shapes).dump();
}

}  // namespace hvagent::app
