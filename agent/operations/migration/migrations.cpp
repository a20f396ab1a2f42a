#include "agent/operations/migration/migrations.h"

#include <pthread.h>

#include "agent/operations/migration/departure.h"
#include "agent/operations/migration/drive.h"
#include "agent/operations/migration/incoming.h"
#include "agent/operations/migration/verdict.h"
#include "agent/operations/services.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;
using State = IncomingMigration::State;

constexpr seconds look_every{5};
constexpr seconds longest_status_wait{5};
constexpr seconds ask_patience{10};
constexpr std::size_t most_arrivals = 8;

MigrationId migration_in(const json& body) {
    const auto found = body.find("migration");
    if (found == body.end() || !found->is_string() || !is_uuid(found->get<std::string>()))
        throw Error(Code::invalid_argument, "'migration' must be the uuid of a migration");
    return MigrationId(found->get<std::string>());
}

// Only the other end may ask about it.
Migration row_for(Services& services, const HostId& peer, const json& body, MigrationRole role) {
    const MigrationId id = migration_in(body);
    const auto row = services.inventory.find<Migration>(id);
    if (!row || row->role != role || row->peer != peer)
        throw Error(Code::not_found, "there is no such migration: " + id.str());
    return *row;
}

json names_of(const std::vector<VolumeId>& volumes) {
    json names = json::array();
    for (const VolumeId& volume : volumes) names.push_back(volume.str());
    return names;
}

json shared_storages(const Landing& landing) {
    json shared = json::array();
    for (const auto& [theirs, mine] : landing.storages)
        if (mine.shared) shared.push_back(theirs.str());
    return shared;
}

}  // namespace

std::string why_host_is_needed(const inventory::Inventory& inventory, const HostId& peer) {
    for (const Migration& row : inventory.list<Migration>({{"peer", peer.str()}}))
        if (row.stage != MigrationStage::departed) return "the migration " + row.uuid.str() + " is not settled";
    return "";
}

Migrations::Migrations() = default;

Migrations::~Migrations() {
    stop();
}

std::map<std::string, Migrations::Answer> Migrations::answers(Services& services) {
    services_ = &services;
    const auto by = [this](json (Migrations::*answer)(const HostId&, const json&)) {
        return [this, answer](const HostId& peer, const json& body) { return (this->*answer)(peer, body); };
    };
    return {{"migration-fit", by(&Migrations::answer_fit)},
            {"migration-prepare", by(&Migrations::answer_prepare)},
            {"migration-status", by(&Migrations::answer_status)},
            {"migration-truth", by(&Migrations::answer_truth)},
            {"migration-take", by(&Migrations::answer_take)},
            {"migration-drop", by(&Migrations::answer_drop)},
            {"migration-drive", by(&Migrations::answer_drive)},
            {"migration-drive-status", by(&Migrations::answer_drive_status)},
            {"migration-drive-cancel", by(&Migrations::answer_drive_cancel)},
            {"migration-checksum", by(&Migrations::answer_checksum)},
            {"migration-verdict", by(&Migrations::answer_verdict)}};
}

void Migrations::start(Services& services) {
    services_ = &services;
    keeper_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "migrations");
        run();
    });
}

void Migrations::stop() {
    std::map<MigrationId, std::shared_ptr<IncomingMigration>> incoming;
    std::map<MigrationId, std::shared_ptr<DrivenMigration>> driven;
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        incoming.swap(incoming_);
        driven.swap(driven_);
        changed_.notify_all();
    }
    stop_.request(CancelReason::stopping);
    for (const auto& [id, one] : incoming) one->cancel(CancelReason::stopping);
    if (keeper_.joinable()) keeper_.join();
}

void Migrations::look_soon() {
    std::lock_guard lock(mutex_);
    wanted_ = true;
    changed_.notify_all();
}

Migrations::Turn::Turn(Migrations& owner, MigrationId migration) : owner_(owner), migration_(std::move(migration)) {}

Migrations::Turn::~Turn() {
    std::lock_guard lock(owner_.mutex_);
    owner_.taken_.erase(migration_);
    owner_.changed_.notify_all();
}

std::unique_ptr<Migrations::Turn> Migrations::take_turn(const MigrationId& migration) {
    std::lock_guard lock(mutex_);
    if (!taken_.insert(migration).second) return nullptr;
    return std::make_unique<Turn>(*this, migration);
}

void Migrations::offer(const MigrationId& migration, std::set<std::string> paths) {
    std::lock_guard lock(mutex_);
    offered_[migration] = std::move(paths);
}

void Migrations::withdraw(const MigrationId& migration) {
    std::lock_guard lock(mutex_);
    offered_.erase(migration);
}

std::shared_ptr<IncomingMigration> Migrations::find_incoming(const MigrationId& migration) {
    std::lock_guard lock(mutex_);
    const auto found = incoming_.find(migration);
    return found == incoming_.end() ? nullptr : found->second;
}

void Migrations::forget_incoming(const MigrationId& migration) {
    // Their threads are waited for without the lock.
    std::shared_ptr<IncomingMigration> arrival;
    std::shared_ptr<DrivenMigration> drive;
    std::lock_guard lock(mutex_);
    if (const auto found = incoming_.find(migration); found != incoming_.end()) {
        arrival = std::move(found->second);
        incoming_.erase(found);
    }
    if (const auto found = driven_.find(migration); found != driven_.end()) {
        drive = std::move(found->second);
        driven_.erase(found);
    }
}

json Migrations::answer_fit(const HostId&, const json& body) {
    return {{"reasons", find_landing(*services_, bundle_from_json(body.at("vm"))).reasons}};
}

json Migrations::answer_prepare(const HostId& peer, const json& body) {
    const VmBundle bundle = bundle_from_json(body.at("vm"));
    if (bundle.source != peer) throw Error(Code::invalid_argument, "the VM is not the asking host's");
    const auto earlier = services_->inventory.find<Migration>(bundle.migration);
    if (earlier && (earlier->peer != peer || earlier->vm != bundle.vm.uuid || earlier->role != MigrationRole::incoming))
        throw Error(Code::invalid_argument, "the migration " + bundle.migration.str() + " is another one");
    if (earlier && earlier->stage != MigrationStage::open)
        throw Error(Code::operation_failed, "the migration " + bundle.migration.str() + " is over: " + earlier->reason);
    if (const auto running = find_incoming(bundle.migration)) return json::object();  // asked twice
    Arrival arrival{bundle, earlier ? load_arrival(*services_, *earlier).landing : find_landing(*services_, bundle)};
    if (!arrival.landing.reasons.empty()) {
        std::string all;
        for (const std::string& reason : arrival.landing.reasons) all += (all.empty() ? "" : "; ") + reason;
        throw Error(Code::no_available_host, all);
    }
    if (!earlier) {
        Migration row;
        row.uuid = bundle.migration;
        row.vm = bundle.vm.uuid;
        row.role = MigrationRole::incoming;
        row.peer = peer;
        row.bundle = store(arrival);
        services_->inventory.insert(row);
    }
    std::lock_guard lock(mutex_);
    if (stopping_) throw Error(Code::not_ready, "the agent is stopping");
    if (incoming_.size() >= most_arrivals)
        throw Error(Code::operation_failed, std::to_string(most_arrivals) + " VMs are on their way to this host already");
    if (!incoming_.contains(bundle.migration))
        incoming_[bundle.migration] = std::make_shared<IncomingMigration>(*services_, std::move(arrival));
    return json::object();
}

json Migrations::answer_status(const HostId& peer, const json& body) {
    const Migration row = row_for(*services_, peer, body, MigrationRole::incoming);
    const auto incoming = find_incoming(row.uuid);
    if (!incoming) return {{"state", "interrupted"}};
    const auto sight = incoming->wait(std::min<milliseconds>(longest_status_wait, milliseconds(body.value("waitMs", 0))));
    json answer{{"percent", sight.percent}, {"what", sight.what}};
    if (sight.error) throw *sight.error;
    answer["state"] = sight.state == State::ready ? "ready" : "preparing";
    if (sight.state != State::ready) return answer;
    answer["places"] = places_to_json(places_of(*services_, incoming->arrival()));
    answer["copied"] = names_of(copied_volumes(incoming->arrival()));
    answer["shared"] = shared_storages(incoming->arrival().landing);
    answer["nvramShared"] = incoming->arrival().landing.nvram_shared;
    return answer;
}

json Migrations::answer_truth(const HostId& peer, const json& body) {
    const MigrationId id = migration_in(body);
    const auto row = services_->inventory.find<Migration>(id);
    const VmId vm(body.at("vm").get<std::string>());
    if (row && row->peer != peer) throw Error(Code::not_found, "there is no such migration: " + id.str());
    services_->states.wait_connected(ask_patience);
    json answer = to_json(services_->migration.truth(vm));
    answer["taken"] = !row && services_->inventory.find<Vm>(vm).has_value();
    return answer;
}

void Migrations::await_turn(const MigrationId& migration) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, ask_patience, [&] { return taken_.insert(migration).second; }))
        throw Error(Code::not_ready, "the migration " + migration.str() + " is being settled");
}

json Migrations::answer_take(const HostId& peer, const json& body) {
    const MigrationId id = migration_in(body);
    await_turn(id);
    const Turn turn(*this, id);
    const VmId vm(body.at("vm").get<std::string>());
    const auto row = services_->inventory.find<Migration>(id);
    if (!row) {
        if (services_->inventory.find<Vm>(vm)) {
            complete_arrival(*services_, vm, body.value("resume", false));  // asked twice: the agent may have died between
            return services_->inventory.answer("VmInstance", vm.str());
        }
        for (const Migration& gone : services_->inventory.list<Migration>({{"vm", vm.str()}}))
            if (gone.stage == MigrationStage::departed) return json::parse(gone.bundle);  // it moved on since
        throw Error(Code::not_found, "there is no such migration: " + id.str());
    }
    if (row->peer != peer || row->role != MigrationRole::incoming)
        throw Error(Code::not_found, "there is no such migration: " + id.str());
    json answer = take_arrival(*services_, *row, body.value("resume", false));
    forget_incoming(id);
    return answer;
}

json Migrations::answer_drop(const HostId& peer, const json& body) {
    const MigrationId id = migration_in(body);
    const auto row = services_->inventory.find<Migration>(id);
    if (!row) return json::object();  // asked twice, or never begun
    if (row->peer != peer || row->role != MigrationRole::incoming)
        throw Error(Code::not_found, "there is no such migration: " + id.str());
    if (const auto incoming = find_incoming(id)) incoming->cancel(CancelReason::asked);
    await_turn(id);
    const Turn turn(*this, id);
    services_->inventory.modify<Migration>(id, [&](Migration& record) {
        record.stage = MigrationStage::stayed;
        record.reason = body.value("reason", "");
    });
    forget_incoming(id);
    drop_arrival(*services_, services_->inventory.get<Migration>(id));
    return json::object();
}

json Migrations::answer_drive(const HostId& peer, const json& body) {
    const Migration row = row_for(*services_, peer, body, MigrationRole::incoming);
    auto driven = std::make_shared<DrivenMigration>(*services_, row.vm, body);
    std::lock_guard lock(mutex_);
    driven_.emplace(row.uuid, std::move(driven));
    return json::object();
}

std::shared_ptr<DrivenMigration> Migrations::find_driven(const MigrationId& migration) {
    std::lock_guard lock(mutex_);
    const auto found = driven_.find(migration);
    if (found == driven_.end())
        throw Error(Code::not_found, "the migration " + migration.str() + " is not driven by this agent");
    return found->second;
}

json Migrations::answer_drive_status(const HostId& peer, const json& body) {
    const Migration row = row_for(*services_, peer, body, MigrationRole::incoming);
    return find_driven(row.uuid)->wait(std::min<milliseconds>(longest_status_wait, milliseconds(body.value("waitMs", 0))));
}

json Migrations::answer_drive_cancel(const HostId& peer, const json& body) {
    const Migration row = row_for(*services_, peer, body, MigrationRole::incoming);
    find_driven(row.uuid)->cancel(CancelReason::asked);
    return json::object();
}

json Migrations::answer_checksum(const HostId& peer, const json& body) {
    const Migration row = row_for(*services_, peer, body, MigrationRole::outgoing);
    const std::string path = body.at("path").get<std::string>();
    {
        std::lock_guard lock(mutex_);
        const auto offered = offered_.find(row.uuid);
        if (offered == offered_.end() || !offered->second.contains(path))
            throw Error(Code::not_found, "the migration does not move the file " + path);
    }
    return {{"sha256", services_->files.sha256(path, stop_)}};
}

json Migrations::answer_verdict(const HostId& peer, const json& body) {
    const MigrationId id = migration_in(body);
    const auto row = services_->inventory.find<Migration>(id);
    if (!row || row->role != MigrationRole::outgoing || row->peer != peer) return {{"stage", "unknown"}};
    return {{"stage", hvagent::to_text(row->stage)}, {"reason", row->reason}};
}

void Migrations::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        wanted_ = false;
        lock.unlock();
        try {
            look();
        } catch (...) {
            log::error("open migrations could not be looked at", {{"error", current_error().details()}});
        }
        lock.lock();
        changed_.wait_for(lock, look_every, [this] { return stopping_ || wanted_; });
    }
}

void Migrations::look() {
    for (const Migration& row : services_->inventory.list<Migration>()) {
        if (stop_.wanted()) return;
        try {
            settle(row);
            unsettled_.erase(row.uuid);
        } catch (...) {
            const Error error = current_error();
            const auto say = unsettled_.insert(row.uuid).second ? log::warning : log::debug;  // once, not at every look
            say("a migration is not settled yet",
                {{"migration", row.uuid.str()}, {"vm", row.vm.str()}, {"error", error.details()}});
        }
    }
}

void Migrations::settle(const Migration& listed) {
    const auto turn = take_turn(listed.uuid);
    if (!turn) return;
    const auto row = services_->inventory.find<Migration>(listed.uuid);
    if (!row) return;
    if (row->role == MigrationRole::incoming) return settle_incoming(*row);
    if (row->stage == MigrationStage::departed)
        forget_departed(*services_, *row);
    else
        settle_departure(*services_, *row);
}

// The source tells when all is well; here is what happens when it does not.
void Migrations::settle_incoming(const Migration& row) {
    if (row.stage == MigrationStage::stayed) return drop_arrival(*services_, row);
    if (find_incoming(row.uuid) && services_->clock.now() - row.created < std::chrono::minutes(1)) return;
    json verdict;
    try {
        verdict = services_->peers.ask(row.peer, "migration-verdict", {{"migration", row.uuid.str()}}, ask_patience);
    } catch (const Error& error) {
        const MigrationTruth truth = services_->migration.truth(row.vm);
        // Running here, and not on its way any more, it was handed over: libvirt starts it at the destination last.
        const bool has_all_of_it = truth.reason.find("post-copy") == std::string::npos;
        if (!truth.active || truth.state != VmState::running || truth.migrating_in || !has_all_of_it) throw;
        log::warning("a VM that runs here is taken over though its source does not answer",
                     {{"vm", row.vm.str()}, {"source", row.peer.str()}, {"error", error.details()}});
        take_arrival(*services_, row, false);
        return forget_incoming(row.uuid);
    }
    const std::string stage = verdict.at("stage").get<std::string>();
    if (stage == "moved" || stage == "departed") {
        take_arrival(*services_, row, false);
        return forget_incoming(row.uuid);
    }
    if (stage == "open") return;
    // Unknown to the source: it has settled it without us, and then the VM is there.
    const MigrationTruth truth = services_->migration.truth(row.vm);
    if (stage == "unknown" && truth.active && truth.state == VmState::running)
        throw Error(Code::operation_failed, "the source does not know this migration, and the VM runs here");
    forget_incoming(row.uuid);
    drop_arrival(*services_, row);
}

}  // namespace hvagent::operations
