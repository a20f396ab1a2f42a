// A job outside the engine: remembers what it was told, and can be begun again as after a restart.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "hvagent/job.h"

namespace hvagent {

class FakeJob final : public Job {
public:
    explicit FakeJob(const Clock& clock) : clock_(clock) {}

    const JobId& id() const override { return id_; }
    const std::string& account() const override { return account_; }
    Cancellation& cancellation() override { return cancellation_; }
    Moment deadline() const override { return clock_.moment() + std::chrono::hours(1); }
    void progress(int percent, const std::string& what) override { steps.emplace_back(percent, what); }
    bool resumed() const override { return resumed_; }
    void remember(const std::string& key, const nlohmann::json& value) override { facts_[key] = value; }
    std::optional<nlohmann::json> recall(const std::string& key) const override {
        const auto found = facts_.find(key);
        return found == facts_.end() ? std::nullopt : std::optional(found->second);
    }

    // Test: the same job in the next life of the daemon.
    FakeJob next_life() const { return FakeJob(clock_, id_, facts_); }

    std::vector<std::pair<int, std::string>> steps;  // of progress

private:
    FakeJob(const Clock& clock, JobId id, std::map<std::string, nlohmann::json> facts)
        : clock_(clock), id_(std::move(id)), resumed_(true), facts_(std::move(facts)) {}

    const Clock& clock_;
    JobId id_ = JobId::make();
    std::string account_;
    Cancellation cancellation_;
    bool resumed_ = false;
    std::map<std::string, nlohmann::json> facts_;
};

}  // namespace hvagent
