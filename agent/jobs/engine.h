// The job engine: every job that was accepted is on disk, runs once, in the order of its queues, and ends with one answer.
//
// Of the jobs only the unfinished ones are in memory; finished ones are read from the database until they expire.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/row.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"
#include "hvagent/drivers/http_client.h"
#include "hvagent/error.h"
#include "hvagent/ids.h"

namespace hvagent::jobs {

using nlohmann::json;

struct JobSettings {
    // How many jobs of a class run at the same time; together they bound the worker threads.
    std::size_t quick_limit = 8;
    std::size_t power_limit = 8;
    std::size_t copy_limit = 2;
    std::size_t migrate_limit = 2;
    std::size_t max_waiting = 10000;  // further ones are refused with Error(not_ready)
    milliseconds thread_idle{5000};   // a thread without work ends after this time
    milliseconds result_lifetime = std::chrono::hours(48);
    milliseconds resume_time = std::chrono::minutes(2);  // a resumed job has at least this long, also past its deadline
    milliseconds stop_grace{10000};                      // how long stop() lets running jobs go on before it interrupts them
    milliseconds stop_grace_long{1000};  // the same of copies and migrations, which hardly end by themselves so soon
    int max_crashes = 3;                 // a job that ran during so many crashes of the daemon is not tried again

    milliseconds webhook_lifetime = std::chrono::hours(48);
    milliseconds webhook_timeout{10000};  // of one delivery
    milliseconds webhook_retry{2000};     // between the first tries
    int webhook_quick_tries = 15;         // after these the distance doubles with each try
    milliseconds webhook_longest_retry = std::chrono::minutes(5);
    int webhook_not_found_tries = 3;    // a receiver that answers 404 does not know the job
    std::size_t webhooks_per_host = 4;  // deliveries to one host at the same time
    std::size_t webhook_threads = 32;
    std::size_t max_webhooks_in_memory = 10000;  // further ones are left in the database for later
};

struct Submission {
    const api::Row* row = nullptr;
    json arguments = json::object();  // canonical: what row->accept returned
    std::string account;              // uuid; empty for the daemon's own jobs
    std::optional<JobId> id;          // chosen by the client
    std::string fingerprint;          // of method, path and body: tells a re-sent request from another one of the same id
    std::string webhook;              // URL; empty: none
    milliseconds webhook_delay{0};    // no delivery earlier than this after submit() returns
    std::optional<milliseconds> timeout;  // from submission on; else the row's
    bool wants_schema = false;
    std::optional<Error> refused;  // the arguments are wrong: the job fails at once with this error
};

struct JobStatus {
    enum State { waiting, running, succeeded, failed };

    JobId id;
    std::string operation;  // name of the row
    std::string account;
    State state = waiting;
    json arguments;             // secrets masked; only filled in by list()
    json result;                // of a succeeded job: what the handler returned
    std::optional<json> error;  // of a failed job: {"code","description","details","cause"}
    int percent = 0;
    std::string progress_text;
    Time created{};
    std::optional<Time> finished;
    milliseconds timeout{0};
    bool wants_schema = false;

    bool is_finished() const { return state == succeeded || state == failed; }
    // The body of a poll or webhook before decoration: the result, or {"error": ...}.
    json body() const { return error ? json{{"error", *error}} : result; }
};

enum class Cancelled {
    ended,      // it had not started and never will
    requested,  // it runs; it ends when its handler notices
    finished_already,
    unknown_job,
};

struct ListFilter {
    std::string account;  // empty: all
    bool unfinished_only = false;
    std::size_t start = 0;
    std::size_t limit = 100;
};

struct Load {
    struct Class {
        std::size_t waiting = 0;
        std::size_t running = 0;
    };
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::array<Class, 4> classes;  // by JobClass
    std::size_t worker_threads = 0;
    std::size_t webhook_threads = 0;
    std::size_t pending_webhooks = 0;  // in memory
};

// What a poll or webhook body carries beside the result (`schema`).
using Decorate = std::function<json(const api::Row& row, json result, bool wants_schema)>;

// Who counts what the engine does. From any thread; cheap, does not throw.
struct JobCounters {
    struct End {
        std::string_view operation;
        JobClass kind = JobClass::quick;
        bool succeeded = false;
        milliseconds waited{0};  // from its arrival to its start
        milliseconds ran{0};
    };
    std::function<void(const End&)> job_ended;
    std::function<void(std::string_view result)> webhook_tried;  // "delivered", "refused"...
};

// A job that came to its end.
struct EndedJob {
    JobId id;
    std::string operation;
    bool succeeded = false;
    std::string answer;  // JSON of the result or the error
    Time created{};
    Time finished{};
};

// Who writes down how jobs end: what `write` stores is kept or lost with the end itself. `stored` comes when it is kept.
struct EndingLog {
    std::function<void(SqlSession&, const EndedJob&)> write;
    std::function<void(const JobId&)> stored;
};

// Thread-safe. The references must outlive it.
class JobEngine {
public:
    JobEngine(Database& database, const Clock& clock, const api::Catalog& catalog, const api::References& references,
              HttpClient& http, JobSettings settings = {});
    ~JobEngine();  // stops
    JobEngine(const JobEngine&) = delete;
    JobEngine& operator=(const JobEngine&) = delete;

    // Before start(). Applied to results in webhook bodies; polls must apply the same to JobStatus::result.
    void set_decorate(Decorate decorate);
    // Before start().
    void log_endings_with(EndingLog log);
    // Before start().
    void count_with(JobCounters counters);

    // Takes up what an earlier life left unfinished, then accepts new jobs.
    void start();
    // Starts no more jobs, waits for running ones, interrupts them after the grace time; what is unfinished then is resumed
    // by the next start(). Returns when no handler runs any more.
    void stop();

    // On disk before it returns. A known id with the same fingerprint returns that job, whatever became of it.
    // Error(bad_request): the id was used for another request. Error(not_ready): too many jobs wait, or the engine does not
    // run. Error(io_failed): it could not be stored, and nothing will happen.
    JobId submit(Submission submission);
    // A job of the daemon itself; `arguments` as a client would send them. Error(invalid_argument) and Error(bad_request) as
    // the row judges them.
    JobId submit_internal(std::string_view operation, const json& arguments);

    // Nothing when unknown or expired.
    std::optional<JobStatus> find(const JobId& id) const;
    // Latest first.
    std::vector<JobStatus> list(const ListFilter& filter) const;
    // Error(not_ready): it has not started and the engine is stopping. Error(io_failed): its end could not be stored, it
    // stays.
    Cancelled cancel(const JobId& id);
    // True once the job is finished, unknown or left by a stop; false when `deadline` comes first.
    bool wait(const JobId& id, Moment deadline) const;
    Load load() const;

    // Does what the clock says is due. Happens by itself at the right moments; needed only by who moves the clock.
    void check_times();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hvagent::jobs
