// All migrations of this host, in and out: what other agents ask about them, and the settling of those that no job works on
// any more.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "hvagent/cancel.h"
#include "hvagent/ids.h"
#include "hvagent/model/migration.h"

namespace hvagent::operations {

struct Services;

// "a migration to or from it is not settled"; empty: the host may be forgotten.
std::string why_host_is_needed(const inventory::Inventory& inventory, const HostId& peer);

class IncomingMigration;
class DrivenMigration;

// Thread-safe.
class Migrations {
public:
    Migrations();
    ~Migrations();

    // Verb -> answer, for the desk where peers ask.
    using Answer = std::function<nlohmann::json(const HostId& peer, const nlohmann::json& body)>;
    std::map<std::string, Answer> answers(Services& services);

    // Begins to look after open migrations: at once, whenever a peer is heard of again, and from time to time.
    void start(Services& services);
    void stop();
    void look_soon();

    // While it lives nobody else settles this migration.
    class Turn {
    public:
        Turn(Migrations& owner, MigrationId migration);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Migrations& owner_;
        const MigrationId migration_;
    };
    // nullptr: somebody is at it.
    std::unique_ptr<Turn> take_turn(const MigrationId& migration);

    // Files of a migration away from here that the other end may ask about.
    void offer(const MigrationId& migration, std::set<std::string> paths);
    void withdraw(const MigrationId& migration);

private:
    nlohmann::json answer_fit(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_prepare(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_status(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_truth(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_take(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_drop(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_drive(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_drive_status(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_drive_cancel(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_checksum(const HostId& peer, const nlohmann::json& body);
    nlohmann::json answer_verdict(const HostId& peer, const nlohmann::json& body);

    void run();
    void look();
    void settle(const Migration& row);
    void settle_incoming(const Migration& row);
    std::shared_ptr<IncomingMigration> find_incoming(const MigrationId& migration);
    std::shared_ptr<DrivenMigration> find_driven(const MigrationId& migration);
    void forget_incoming(const MigrationId& migration);
    void await_turn(const MigrationId& migration);

    Services* services_ = nullptr;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<MigrationId> taken_;
    std::map<MigrationId, std::shared_ptr<IncomingMigration>> incoming_;
    std::map<MigrationId, std::shared_ptr<DrivenMigration>> driven_;
    std::map<MigrationId, std::set<std::string>> offered_;
    bool stopping_ = false;
    bool wanted_ = false;
    Cancellation stop_;
    std::set<MigrationId> unsettled_;  // said so; the keeper's
    std::thread keeper_;
};

}  // namespace hvagent::operations
