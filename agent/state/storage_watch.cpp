#include "agent/state/storage_watch.h"

#include <cmath>
#include <set>

namespace hvagent::state {
namespace {

constexpr int hysteresis = 3;  // percent

std::string event_of(StorageTrial::Outcome outcome) {
    switch (outcome) {
        case StorageTrial::Outcome::read_only: return "StorageReadOnly";
        case StorageTrial::Outcome::failed: return "StorageIoError";
        case StorageTrial::Outcome::gone: return "StorageLost";
        case StorageTrial::Outcome::works:
        case StorageTrial::Outcome::no_room: break;  // told as nearly full
    }
    return "";
}

}  // namespace

StorageWatch::StorageWatch(const inventory::Inventory& inventory, StorageTrials& trials, Timer& timer, const Clock& clock,
                           StorageWatchSettings settings, Tell tell)
    : inventory_(inventory), trials_(trials), timer_(timer), clock_(clock), settings_(settings), tell_(std::move(tell)) {}

void StorageWatch::start() {
    timer_.at(clock_.moment(), [this] { look(); });
}

void StorageWatch::look() {
    std::set<std::string> roots;
    const auto look_at_one = [&](const std::string& kind, const auto& storage) {
        roots.insert(storage.url);
        look_at(kind + " storage " + storage.name, storage.url);
    };
    for (const PrimaryStorage& storage : inventory_.list<PrimaryStorage>()) look_at_one("primary", storage);
    for (const BackupStorage& storage : inventory_.list<BackupStorage>()) look_at_one("backup", storage);
    std::erase_if(conditions_, [&](const auto& known) { return !roots.contains(known.first); });
    timer_.at(clock_.moment() + settings_.interval, [this] { look(); });
}

void StorageWatch::look_at(const std::string& name, const std::string& root) {
    Condition& condition = conditions_[root];
    condition.sight.name = name;
    condition.sight.root = root;
    if (condition.trials > condition.last_answer) return;  // the one before hangs
    const std::uint64_t number = ++condition.trials;
    trials_.begin(root, [this, root, number](const StorageTrial& trial) {
        timer_.at(clock_.moment(), [this, root, number, trial] { judge(root, trial, number); });
    });
    timer_.at(clock_.moment() + settings_.patience, [this, root, number] {
        const auto known = conditions_.find(root);
        if (known != conditions_.end() && known->second.last_answer < number) {
            set_trouble(root, "StorageLost", "it does not answer");
            publish();
        }
    });
}

void StorageWatch::judge(const std::string& root, const StorageTrial& trial, std::uint64_t number) {
    const auto known = conditions_.find(root);
    if (known == conditions_.end()) return;
    known->second.last_answer = std::max(known->second.last_answer, number);
    known->second.sight.space = trial.space;
    known->second.sight.at = clock_.now();
    judge_room(root, trial);
    set_trouble(root, event_of(trial.outcome), trial.why);
    publish();
}

void StorageWatch::publish() {
    std::vector<StorageSight> all;
    for (const auto& [root, condition] : conditions_)
        if (condition.sight.at != Time{} || !condition.sight.trouble.empty()) all.push_back(condition.sight);
    const std::lock_guard lock(mutex_);
    sights_ = std::move(all);
}

std::vector<StorageSight> StorageWatch::sights() const {
    const std::lock_guard lock(mutex_);
    return sights_;
}

void StorageWatch::judge_room(const std::string& root, const StorageTrial& trial) {
    if (trial.space.total <= 0) return;
    Condition& condition = conditions_[root];
    const double used =
        100.0 * static_cast<double>(trial.space.total - trial.space.available) / static_cast<double>(trial.space.total);
    const bool is_full = trial.outcome == StorageTrial::Outcome::no_room || used >= settings_.full_percent;
    const bool has_room = !is_full && used < settings_.full_percent - hysteresis;
    if (condition.sight.nearly_full ? !has_room : !is_full) return;
    condition.sight.nearly_full = is_full;
    tell_(is_full ? "StorageNearlyFull" : "StorageHasRoom", condition.sight.name + " (" + root +
                                                                "): " + human_size(trial.space.available) + " of " +
                                                                human_size(trial.space.total) + " left");
}

void StorageWatch::set_trouble(const std::string& root, const std::string& event, const std::string& why) {
    Condition& condition = conditions_[root];
    if (condition.sight.trouble == event) return;
    const bool is_over = event.empty();
    condition.sight.why = why;
    condition.sight.trouble = event;
    tell_(is_over ? "StorageRecovered" : event, condition.sight.name + " (" + root + ")" + (why.empty() ? "" : ": " + why));
}

}  // namespace hvagent::state
