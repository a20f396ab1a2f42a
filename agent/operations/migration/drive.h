// A move that the destination's agent drives, through the source's libvirt; the source's job follows it.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/operations/migration/options.h"
#include "agent/operations/services.h"
#include "hvagent/job.h"
#include "hvagent/model/migration.h"

namespace hvagent::operations {

// What the destination said when it was ready, and the options, as libvirt is told. `destination_address`: where it is.
MigrationWay way_from_json(const nlohmann::json& ready, const MigrationOptions& options,
                           const std::string& destination_address);
nlohmann::json places_to_json(const MigrationPlaces& places);

// At the source: asks the destination to drive, shows its progress, hands on a cancellation, and ends as migrate() does.
// While the daemon stops the destination goes on.
MigrationResult drive_from_destination(Services& services, Job& job, const Migration& row, const nlohmann::json& ready,
                                       const MigrationOptions& options,
                                       const std::function<void(int percent, const std::string& what)>& progress);

// At the destination: the driving of one move, on a thread of its own. Thread-safe.
class DrivenMigration {
public:
    DrivenMigration(Services& services, const VmId& vm, const nlohmann::json& order);
    ~DrivenMigration();  // it is not aborted: libvirt goes on
    // {"state": "running" | "done", "percent", "what", result...}; the move's error is thrown.
    nlohmann::json wait(milliseconds patience);
    void cancel(CancelReason reason) { cancellation_.request(reason); }

private:
    void run();

    Services& services_;
    const VmId vm_;
    const MigrationOptions options_;
    MigrationWay way_;
    Cancellation cancellation_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int percent_ = 0;
    std::string what_;
    std::optional<MigrationResult> result_;
    std::optional<Error> error_;
    std::thread thread_;
};

}  // namespace hvagent::operations
