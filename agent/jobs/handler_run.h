// One run of one handler: what it is given, and what its end means.
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "agent/api/row.h"
#include "agent/jobs/job_store.h"
#include "hvagent/job.h"

namespace hvagent::jobs {

// Thread-safe: written by the handler, read by polls.
class Progress {
public:
    struct State {
        int percent = 0;
        std::string text;
    };
    // Percent never goes back. Returns what is shown now.
    State set(int percent, const std::string& text);
    State get() const;

private:
    mutable std::mutex mutex_;
    State state_;
};

// What a handler sees of its job.
class RunningJob final : public Job {
public:
    struct Facts {
        JobId id;
        std::string account;
        Moment deadline{};
        bool resumed = false;
    };
    RunningJob(Facts facts, Cancellation& cancellation, Progress& progress, JobStore& store, const Clock& clock);

    const JobId& id() const override { return facts_.id; }
    const std::string& account() const override { return facts_.account; }
    Cancellation& cancellation() override { return cancellation_; }
    Moment deadline() const override { return facts_.deadline; }
    void progress(int percent, const std::string& what) override;
    bool resumed() const override { return facts_.resumed; }
    void remember(const std::string& key, const json& value) override;
    std::optional<json> recall(const std::string& key) const override;

private:
    const Facts facts_;
    Cancellation& cancellation_;
    Progress& progress_;
    JobStore& store_;
    const Clock& clock_;
    std::optional<Moment> last_stored_;
    bool may_have_memories_ = false;
};

struct Outcome {
    json result;
    std::optional<Error> error;
    bool interrupted = false;  // by the daemon's stop: unfinished, to be run again
};

// Admits the job, runs the row's handler and says how it ended. `timeout` is for the text of the error only.
Outcome run_handler(const api::Row& row, const json& arguments, const api::References& references, RunningJob& job,
                    const Clock& clock, milliseconds timeout);

// "1.5 s"
std::string in_seconds(milliseconds time);

}  // namespace hvagent::jobs
