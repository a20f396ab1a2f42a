// The inside of the job engine: engine.cpp is what callers ask for, engine_run.cpp what workers and the timer do,
// engine_life.cpp start and stop.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/jobs/engine.h"
#include "agent/jobs/handler_run.h"
#include "agent/jobs/job_store.h"
#include "agent/jobs/schedule.h"
#include "agent/jobs/webhooks.h"
#include "agent/jobs/workers.h"
#include "hvagent/timer.h"

namespace hvagent::jobs {

constexpr milliseconds longest_timeout = std::chrono::hours(24 * 365);
constexpr std::size_t largest_kept_arguments = 16 * 1024;

inline Schedule::Limits limits_of(const JobSettings& settings) {
    return {settings.quick_limit, settings.power_limit, settings.copy_limit, settings.migrate_limit};
}

// An unfinished job.
struct Entry : Schedule::Ticket, std::enable_shared_from_this<Entry> {
    explicit Entry(JobId job) : id(std::move(job)), cancellation(id.str()) {}

    enum class Phase {
        storing,  // not yet on disk
        waiting,
        running,  // handed to a worker
        ending,   // will never start; its end is being stored
    };

    const JobId id;
    const api::Row* row = nullptr;
    std::string account;
    std::string fingerprint;
    std::int64_t sequence = 0;
    std::optional<json> arguments;  // nothing while it waits: too large to keep, they are in the store
    bool resumed = false;
    Time created{};
    milliseconds timeout{0};
    Moment deadline{};
    bool wants_schema = false;
    std::string webhook;
    Moment webhook_not_before{};
    Progress progress;
    Cancellation cancellation;

    Phase phase = Phase::storing;  // guarded by the engine's mutex
};
using EntryPtr = std::shared_ptr<Entry>;

class JobEngine::Impl final : public WebhookOffice {
public:
    Impl(Database& database, const Clock& clock, const api::Catalog& catalog, const api::References& references,
         HttpClient& http, const JobSettings& settings);
    ~Impl() override { stop(); }

    void start();
    void stop();
    JobId submit(Submission submission);
    JobId submit_internal(std::string_view operation, const json& arguments);
    std::optional<JobStatus> find(const JobId& id) const;
    std::vector<JobStatus> list(const ListFilter& filter) const;
    Cancelled cancel(const JobId& id);
    bool wait(const JobId& id, Moment deadline) const;
    Load load() const;
    void check_times();

    std::optional<Letter> write_letter(const JobId& job) override;
    void end_webhook(const JobId& job) override { store_.end_webhook(job); }
    void each_pending(const std::function<void(Webhook)>& visit) override;
    void due_changed() override { arm_timer(); }
    void webhook_tried(std::string_view result) override {
        if (counters_.webhook_tried) counters_.webhook_tried(result);
    }

    void log_endings_with(EndingLog log) { store_.log_endings_with(std::move(log)); }

    Decorate decorate_;
    JobCounters counters_;

private:
    enum class State { stopped, running, stopping };
    using Entries = std::vector<EntryPtr>;

    // engine.cpp
    EntryPtr make_entry(const Submission& submission) const;
    StoredJob to_stored(const Entry& entry, const Submission& submission) const;
    bool reserve(const EntryPtr& entry);
    void abandon(const EntryPtr& entry);
    void enqueue(const EntryPtr& entry, milliseconds webhook_delay);
    void submit_refused(const EntryPtr& entry, const Submission& submission);
    Cancelled cancel_finished(const JobId& id) const;
    JobStatus to_status(const StoredJob& stored) const;
    JobStatus to_status(const Entry& entry) const;

    // engine_life.cpp
    void load_unfinished();
    void load_entry(const StoredJob& stored);
    void give_up(const StoredJob& stored, const api::Row* row, const Error& error);
    std::optional<Error> reason_not_to_resume(const StoredJob& stored, const api::Row* row) const;
    void interrupt(std::unique_lock<std::mutex>& lock, const std::function<bool(const Entry&)>& is_meant);
    void wait_until_idle();

    // engine_run.cpp
    Entries take_startable();  // with mutex_ held
    void run_all(const Entries& entries, std::size_t from = 0);
    void work(EntryPtr entry);
    EntryPtr work_one(const EntryPtr& entry);
    bool begin(Entry& entry);
    void load_arguments(Entry& entry) const;
    Ending make_ending(const Entry& entry, const Outcome& outcome) const;
    bool store_ending(const Entry& entry, const Ending& ending);
    void count(const Entry& entry, bool succeeded, milliseconds ran, Time ended) const;
    EntryPtr leave(const EntryPtr& entry, bool had_started);
    Entries retire(const EntryPtr& entry, Time finished);
    bool claim_unstarted(Entry& entry);  // with mutex_ held
    void end_unstarted(const EntryPtr& entry, const Error& error);
    void end_late(const EntryPtr& entry);
    void take_late(Entries& unstarted, Entries& running);
    void remove_expired();
    void arm_timer();

    JobStore store_;
    const Clock& clock_;
    const api::Catalog& catalog_;
    const api::References& references_;
    const JobSettings settings_;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;  // a job was stored, ended or left; the state changed
    State state_ = State::stopped;
    std::unordered_map<JobId, EntryPtr> entries_;
    Schedule schedule_;
    std::set<std::pair<Moment, JobId>> deadlines_;
    std::int64_t last_sequence_ = 0;
    std::size_t active_ = 0;  // jobs in the hands of a thread
    std::optional<Time> next_expiry_;
    std::optional<Moment> armed_;

    Workers workers_;
    Workers chores_;  // what must not wait for a worker nor hold up the timer
    Webhooks webhooks_;
    Timer timer_;
};

}  // namespace hvagent::jobs
