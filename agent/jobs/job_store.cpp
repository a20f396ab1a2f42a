#include "agent/jobs/job_store.h"

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr const char* columns =
    "sequence, id, operation, account, fingerprint, arguments, state, starts, created, finished, timeout, wants_schema, "
    "webhook, webhook_pending, answer, percent, progress_text";

StoredJob read_job(const SqlRow& row) {
    StoredJob job;
    job.sequence = row.integer(0);
    job.id = JobId(row.text(1));
    job.operation = row.text(2);
    job.account = row.text(3);
    job.fingerprint = row.text(4);
    job.arguments = row.text(5);
    job.state = static_cast<JobStatus::State>(row.integer(6));
    job.starts = static_cast<int>(row.integer(7));
    job.created = from_unix_ms(row.integer(8));
    if (!row.is_null(9)) job.finished = from_unix_ms(row.integer(9));
    job.timeout = milliseconds(row.integer(10));
    job.wants_schema = row.integer(11) != 0;
    job.webhook = row.text(12);
    job.webhook_pending = row.integer(13) != 0;
    job.answer = row.text(14);
    job.percent = static_cast<int>(row.integer(15));
    job.progress_text = row.text(16);
    return job;
}

std::string select(const std::string& rest) {
    return std::string("SELECT ") + columns + " FROM jobs " + rest;
}

SqlValue stored_time(const std::optional<Time>& time) {
    return time ? SqlValue(to_unix_ms(*time)) : SqlValue(nullptr);
}

std::vector<StoredJob> read_jobs(Database& database, const std::string& sql, const SqlValues& values) {
    std::vector<StoredJob> jobs;
    database.read(
        [&](SqlSession& session) { session.each(sql, values, [&](const SqlRow& row) { jobs.push_back(read_job(row)); }); });
    return jobs;
}

}  // namespace

std::string to_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void JobStore::create_tables() {
    database_.write(Durability::flushed, [](SqlSession& session) {
        session.run(
            "CREATE TABLE IF NOT EXISTS jobs ("
            "sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, account TEXT NOT NULL, "
            "fingerprint TEXT NOT NULL, arguments TEXT NOT NULL, state INTEGER NOT NULL, starts INTEGER NOT NULL DEFAULT 0, "
            "created INTEGER NOT NULL, finished INTEGER, timeout INTEGER NOT NULL, wants_schema INTEGER NOT NULL, "
            "webhook TEXT NOT NULL, webhook_pending INTEGER NOT NULL, answer TEXT NOT NULL DEFAULT '', "
            "percent INTEGER NOT NULL DEFAULT 0, progress_text TEXT NOT NULL DEFAULT '')");
        session.run("CREATE INDEX IF NOT EXISTS jobs_finished ON jobs(finished)");
        session.run("CREATE INDEX IF NOT EXISTS jobs_webhook ON jobs(finished) WHERE webhook_pending = 1");
        session.run(
            "CREATE TABLE IF NOT EXISTS job_facts (job TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (job, key)) WITHOUT ROWID");
    });
}

std::int64_t JobStore::last_sequence() const {
    std::int64_t last = 0;
    database_.read([&](SqlSession& session) {
        session.each("SELECT MAX(sequence) FROM jobs", {}, [&](const SqlRow& row) { last = row.integer(0); });
    });
    return last;
}

std::optional<std::string> JobStore::insert(const StoredJob& job) {
    std::optional<std::string> known;
    try {
        database_.write(Durability::flushed, [&](SqlSession& session) {
            const int added = session.run(
                "INSERT INTO jobs (sequence, id, operation, account, fingerprint, arguments, state, created, finished, "
                "timeout, "
                "wants_schema, webhook, webhook_pending, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO NOTHING",
                {job.sequence, job.id.str(), job.operation, job.account, job.fingerprint, job.arguments,
                 static_cast<std::int64_t>(job.state), to_unix_ms(job.created), stored_time(job.finished),
                 job.timeout.count(), std::int64_t(job.wants_schema), job.webhook, std::int64_t(job.webhook_pending),
                 job.answer});
            if (added != 0) return;
            session.each("SELECT fingerprint FROM jobs WHERE id = ?", {job.id.str()},
                         [&](const SqlRow& row) { known = row.text(0); });
        });
    } catch (...) {
        // It may be committed and not flushed: its client hears of an error, so a later start must not run it.
        try {
            database_.write(Durability::lazy, [&](SqlSession& session) {
                session.run("DELETE FROM jobs WHERE id = ? AND sequence = ?", {job.id.str(), job.sequence});
            });
        } catch (const Error& error) {
            log::warning("cannot take back a job that was not stored", {{"job", job.id.str()}, {"error", error.details()}});
        }
        throw;
    }
    return known;
}

void JobStore::mark_started(const JobId& id) {
    database_.write(Durability::lazy, [&](SqlSession& session) {
        session.run("UPDATE jobs SET state = ?, starts = starts + 1 WHERE id = ?",
                    {std::int64_t(JobStatus::running), id.str()});
    });
}

void JobStore::mark_interrupted(const JobId& id) {
    database_.write(Durability::lazy, [&](SqlSession& session) {
        session.run("UPDATE jobs SET starts = MAX(starts - 1, 0) WHERE id = ?", {id.str()});
    });
}

void JobStore::set_progress(const JobId& id, int percent, const std::string& text) {
    database_.write(Durability::lazy, [&](SqlSession& session) {
        session.run("UPDATE jobs SET percent = ?, progress_text = ? WHERE id = ?", {std::int64_t(percent), text, id.str()});
    });
}

void JobStore::end_webhook(const JobId& id) {
    database_.write(Durability::lazy, [&](SqlSession& session) {
        session.run("UPDATE jobs SET webhook_pending = 0 WHERE id = ?", {id.str()});
    });
}

void JobStore::finish(const JobId& id, const Ending& ending) {
    database_.write(Durability::flushed, [&](SqlSession& session) {
        session.run("UPDATE jobs SET state = ?, finished = ?, answer = ?, webhook_pending = (webhook <> '') WHERE id = ?",
                    {std::int64_t(ending.state), to_unix_ms(ending.finished), ending.answer, id.str()});
        if (ending.arguments) session.run("UPDATE jobs SET arguments = ? WHERE id = ?", {*ending.arguments, id.str()});
        session.run("DELETE FROM job_facts WHERE job = ?", {id.str()});
        if (ending_log_.write) log_ending(session, id, ending);
    });
    if (ending_log_.stored) ending_log_.stored(id);
}

void JobStore::log_ending(SqlSession& session, const JobId& id, const Ending& ending) const {
    EndedJob job{id, "", ending.state == JobStatus::succeeded, ending.answer, {}, ending.finished};
    session.each("SELECT operation, created FROM jobs WHERE id = ?", {id.str()}, [&](const SqlRow& row) {
        job.operation = row.text(0);
        job.created = from_unix_ms(row.integer(1));
    });
    ending_log_.write(session, job);
}

std::optional<StoredJob> JobStore::find(const JobId& id) const {
    auto jobs = read_jobs(database_, select("WHERE id = ?"), {id.str()});
    return jobs.empty() ? std::nullopt : std::optional(std::move(jobs.front()));
}

std::vector<StoredJob> JobStore::list(const ListFilter& filter) const {
    std::string where = "WHERE 1";
    SqlValues values;
    if (!filter.account.empty()) {
        where += " AND account = ?";
        values.emplace_back(filter.account);
    }
    if (filter.unfinished_only) where += " AND finished IS NULL";
    values.emplace_back(static_cast<std::int64_t>(filter.limit));
    values.emplace_back(static_cast<std::int64_t>(filter.start));
    return read_jobs(database_, select(where + " ORDER BY sequence DESC LIMIT ? OFFSET ?"), values);
}

std::vector<StoredJob> JobStore::list_unfinished() const {
    return read_jobs(database_, select("WHERE finished IS NULL ORDER BY state DESC, sequence"), {});
}

void JobStore::each_pending_webhook(const std::function<void(const StoredJob&)>& visit) const {
    database_.read([&](SqlSession& session) {
        session.each("SELECT id, webhook, finished FROM jobs WHERE webhook_pending = 1 AND finished > 0 ORDER BY finished",
                     {}, [&](const SqlRow& row) {
                         StoredJob job;
                         job.id = JobId(row.text(0));
                         job.webhook = row.text(1);
                         job.finished = from_unix_ms(row.integer(2));
                         visit(job);
                     });
    });
}

int JobStore::remove_finished(Time results, Time webhooks, std::size_t limit) {
    int removed = 0;
    database_.write(Durability::lazy, [&](SqlSession& session) {
        removed = session.run(
            "DELETE FROM jobs WHERE sequence IN (SELECT sequence FROM jobs WHERE finished <= ? AND "
            "(webhook_pending = 0 OR finished <= ?) ORDER BY finished LIMIT ?)",
            {to_unix_ms(results), to_unix_ms(webhooks), static_cast<std::int64_t>(limit)});
    });
    return removed;
}

std::optional<Time> JobStore::oldest_finished() const {
    std::optional<Time> oldest;
    database_.read([&](SqlSession& session) {
        session.each("SELECT MIN(finished) FROM jobs", {}, [&](const SqlRow& row) {
            if (!row.is_null(0)) oldest = from_unix_ms(row.integer(0));
        });
    });
    return oldest;
}

void JobStore::remember(const JobId& id, const std::string& key, const json& value) {
    database_.write(Durability::flushed, [&](SqlSession& session) {
        session.run("INSERT OR REPLACE INTO job_facts (job, key, value) VALUES (?, ?, ?)", {id.str(), key, to_text(value)});
    });
}

std::optional<json> JobStore::recall(const JobId& id, const std::string& key) const {
    std::optional<json> value;
    database_.read([&](SqlSession& session) {
        session.each("SELECT value FROM job_facts WHERE job = ? AND key = ?", {id.str(), key},
                     [&](const SqlRow& row) { value = json::parse(row.text(0)); });
    });
    return value;
}

}  // namespace hvagent::jobs
