#include "agent/operations/migration/drive.h"

#include <pthread.h>

#include "agent/operations/migration/convergence.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

constexpr milliseconds ask_patience{15000};
constexpr milliseconds status_wait{500};

// Every option that can differ between requests.
std::vector<std::string> tags_of(const MigrationOptions& options) {
    const auto tag = [](const char* name, const std::string& value) {
        return std::string("migration::") + name + "::" + value;
    };
    const char* stuck = options.when_stuck == WhenStuck::abort   ? "abort"
                        : options.when_stuck == WhenStuck::pause ? "pause"
                                                                 : "post_copy";
    return {tag("bandwidth", std::to_string(options.bandwidth)),
            tag("max_downtime", std::to_string(options.max_downtime.count())),
            tag("auto_converge", options.auto_converge ? "true" : "false"),
            tag("when_stuck", stuck),
            tag("max_pause", std::to_string(options.max_pause.count())),
            tag("timeout_per_gib", std::to_string(options.timeout_per_gib.count())),
            tag("parallel_connections", std::to_string(options.parallel_connections)),
            tag("compressed", options.compressed ? "true" : "false")};
}

json to_json(const MigrationResult& result) {
    return {{"totalMs", result.total.count()},   {"downtimeMs", result.downtime.count()},
            {"transferred", result.transferred}, {"iterations", result.iterations},
            {"postCopied", result.post_copied},  {"pausedToConverge", result.paused_to_converge}};
}

MigrationResult result_from_json(const json& sent) {
    MigrationResult result;
    result.total = milliseconds(sent.at("totalMs").get<std::int64_t>());
    result.downtime = milliseconds(sent.at("downtimeMs").get<std::int64_t>());
    result.transferred = sent.at("transferred").get<Bytes>();
    result.iterations = sent.at("iterations").get<int>();
    result.post_copied = sent.at("postCopied").get<bool>();
    result.paused_to_converge = sent.at("pausedToConverge").get<bool>();
    return result;
}

}  // namespace

json places_to_json(const MigrationPlaces& places) {
    json nics = json::array();
    for (const MigrationPlaces::Nic& nic : places.nics)
        nics.push_back({{"mac", nic.mac}, {"network", nic.network}, {"bridge", nic.bridge}, {"target", nic.target_name}});
    return {{"paths", places.paths}, {"nics", nics}, {"host", places.host_uuid}};
}

MigrationWay way_from_json(const json& ready, const MigrationOptions& options, const std::string& destination_address) {
    MigrationWay way;
    apply(options, way);
    way.destination_uri = libvirt_uri(options, destination_address);
    way.migrate_address = destination_address;
    for (const json& volume : ready.at("copied")) way.copied.emplace_back(volume.get<std::string>());
    const json& places = ready.at("places");
    way.places.paths = places.at("paths").get<std::map<std::string, std::string>>();
    way.places.host_uuid = places.at("host").get<std::string>();
    for (const json& nic : places.at("nics"))
        way.places.nics.push_back({nic.at("mac").get<std::string>(), nic.at("network").get<std::string>(),
                                   nic.at("bridge").get<std::string>(), nic.at("target").get<std::string>()});
    return way;
}

MigrationResult drive_from_destination(Services& services, Job& job, const Migration& row, const json& ready,
                                       const MigrationOptions& options,
                                       const std::function<void(int percent, const std::string& what)>& progress) {
    const json about{{"migration", row.uuid.str()}};
    json order = about;
    order["ready"] = ready;
    order["tags"] = tags_of(options);
    order["sourceAddress"] = services.inventory.get<Host>(services.host).management_ip;
    services.peers.ask(row.peer, "migration-drive", order, ask_patience);
    json question = about;
    question["waitMs"] = status_wait.count();
    for (bool cancelled = false;;) {
        const json sight = services.peers.ask(row.peer, "migration-drive-status", question, ask_patience);
        if (sight.at("state") == "done") return result_from_json(sight.at("result"));
        progress(sight.at("percent").get<int>(), sight.at("what").get<std::string>());
        if (job.cancellation().reason() == CancelReason::stopping) job.cancellation().check();
        if (job.cancellation().wanted() && !std::exchange(cancelled, true))
            services.peers.ask(row.peer, "migration-drive-cancel", about, ask_patience);
    }
}

DrivenMigration::DrivenMigration(Services& services, const VmId& vm, const json& order)
    : services_(services),
      vm_(vm),
      options_(migration_options(services.settings, {}, order.at("tags").get<std::vector<std::string>>(), {})),
      way_(way_from_json(order.at("ready"), options_, services.inventory.get<Host>(services.host).management_ip)) {
    way_.source_uri = libvirt_uri(options_, order.at("sourceAddress").get<std::string>());
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "vm-drive");
        run();
    });
}

DrivenMigration::~DrivenMigration() {
    cancel(CancelReason::stopping);
    thread_.join();
}

void DrivenMigration::run() {
    std::optional<MigrationResult> result;
    std::optional<Error> error;
    try {
        Convergence judge(options_, [this](int percent, const std::string& what) {
            std::lock_guard lock(mutex_);
            percent_ = percent;
            what_ = what;
        });
        result = services_.migration.migrate(vm_, way_, judge, cancellation_);
    } catch (...) {
        error = current_error();
    }
    std::lock_guard lock(mutex_);
    result_ = result;
    error_ = std::move(error);
    changed_.notify_all();
}

json DrivenMigration::wait(milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return result_ || error_; });
    if (error_) throw *error_;
    json sight{{"state", result_ ? "done" : "running"}, {"percent", percent_}, {"what", what_}};
    if (result_) sight["result"] = to_json(*result_);
    return sight;
}

}  // namespace hvagent::operations
