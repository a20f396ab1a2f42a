// Tells when a storage becomes full, read-only, broken or silent, and when it is well again.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/inventory/inventory.h"
#include "agent/state/storage_trials.h"
#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::state {

struct StorageWatchSettings {
    milliseconds interval{30000};
    milliseconds patience{10000};  // a trial that takes longer: the storage does not answer
    int full_percent = 90;         // of the file system in use; it has room again when that is 3 less
};

// What was seen last of a storage.
struct StorageSight {
    std::string name;  // "primary storage local"
    std::string root;
    std::string trouble;  // "StorageReadOnly"...; empty: it works
    std::string why;
    bool nearly_full = false;
    StorageSpace space;
    Time at{};
};

// Each change is told once.
class StorageWatch {
public:
    using Tell = std::function<void(const std::string& event, const std::string& details)>;

    StorageWatch(const inventory::Inventory& inventory, StorageTrials& trials, Timer& timer, const Clock& clock,
                 StorageWatchSettings settings, Tell tell);
    void start();
    // Without asking the storages; thread-safe.
    std::vector<StorageSight> sights() const;

private:
    struct Condition {
        StorageSight sight;
        std::uint64_t trials = 0;       // begun
        std::uint64_t last_answer = 0;  // number of the trial it was
    };
    void look();
    void look_at(const std::string& name, const std::string& root);
    void judge(const std::string& root, const StorageTrial& trial, std::uint64_t number);
    void judge_room(const std::string& root, const StorageTrial& trial);
    void publish();
    void set_trouble(const std::string& root, const std::string& event, const std::string& why);

    const inventory::Inventory& inventory_;
    StorageTrials& trials_;
    Timer& timer_;
    const Clock& clock_;
    const StorageWatchSettings settings_;
    const Tell tell_;
    std::map<std::string, Condition> conditions_;  // by root; touched by the timer's thread only
    mutable std::mutex mutex_;
    std::vector<StorageSight> sights_;  // copies, for other threads
};

}  // namespace hvagent::state
