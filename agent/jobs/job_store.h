// The jobs on disk.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/jobs/engine.h"
#include "hvagent/drivers/database.h"

namespace hvagent::jobs {

// JSON text that is valid whatever bytes a guest or a tool put into a message.
std::string to_text(const json& value);

// As it was submitted and how far it came.
struct StoredJob {
    std::int64_t sequence = 0;  // order of arrival
    JobId id;
    std::string operation;
    std::string account;
    std::string fingerprint;
    std::string arguments;  // JSON
    JobStatus::State state = JobStatus::waiting;
    int starts = 0;  // that did not end in an orderly way
    Time created{};
    std::optional<Time> finished;
    milliseconds timeout{0};
    bool wants_schema = false;
    std::string webhook;
    bool webhook_pending = false;
    std::string answer;  // JSON of the result or the error
    int percent = 0;
    std::string progress_text;
};

struct Ending {
    JobStatus::State state = JobStatus::succeeded;
    std::string answer;  // JSON of the result or the error
    Time finished{};
    std::optional<std::string> arguments;  // without secrets; nothing when they are as they were
};

// Thread-safe, as the database is.
class JobStore {
public:
    explicit JobStore(Database& database) : database_(database) {}

    void create_tables();
    std::int64_t last_sequence() const;

    // On disk when it returns. When the id is known nothing is stored and the fingerprint of that job is returned. After an
    // error there is no such job.
    std::optional<std::string> insert(const StoredJob& job);
    // These survive a crash of the daemon; see engine_run.cpp for why that is enough.
    void mark_started(const JobId& id);
    void mark_interrupted(const JobId& id);  // the start is not held against the job
    void set_progress(const JobId& id, int percent, const std::string& text);
    void end_webhook(const JobId& id);
    // Before the first job ends.
    void log_endings_with(EndingLog log) { ending_log_ = std::move(log); }
    // On disk when it returns; the job's facts go.
    void finish(const JobId& id, const Ending& ending);

    std::optional<StoredJob> find(const JobId& id) const;
    std::vector<StoredJob> list(const ListFilter& filter) const;
    // Those that had started first, each kind in order of arrival.
    std::vector<StoredJob> list_unfinished() const;
    // Id, webhook and time of finishing only; oldest first.
    void each_pending_webhook(const std::function<void(const StoredJob&)>& visit) const;

    // Finished before `results`; those whose webhook is pending only when also before `webhooks`. At most `limit`.
    int remove_finished(Time results, Time webhooks, std::size_t limit);
    std::optional<Time> oldest_finished() const;

    void remember(const JobId& id, const std::string& key, const json& value);
    std::optional<json> recall(const JobId& id, const std::string& key) const;

private:
    void log_ending(SqlSession& session, const JobId& id, const Ending& ending) const;

    Database& database_;
    EndingLog ending_log_;
};

}  // namespace hvagent::jobs
