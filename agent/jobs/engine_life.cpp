#include <algorithm>

#include "agent/jobs/engine_impl.h"
#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr std::string_view suspects_queue = "jobs that ran when the daemon crashed twice";

}  // namespace

void JobEngine::Impl::start() {
    {
        const std::lock_guard lock(mutex_);
        if (state_ != State::stopped) return;
        last_sequence_ = std::max(last_sequence_, store_.last_sequence());
        armed_.reset();
        next_expiry_.reset();
        if (const auto oldest = store_.oldest_finished()) next_expiry_ = *oldest + settings_.result_lifetime;
        load_unfinished();
    }
    timer_.start();
    Entries next;
    {
        const std::lock_guard lock(mutex_);
        state_ = State::running;
        next = take_startable();
    }
    webhooks_.start();
    run_all(next);
    check_times();
}

// Those that had started first: they hold what later ones of their queues wait for.
void JobEngine::Impl::load_unfinished() {
    const std::vector<StoredJob> unfinished = store_.list_unfinished();
    for (const StoredJob& stored : unfinished) {
        const api::Row* row = catalog_.find(stored.operation);
        const auto error = reason_not_to_resume(stored, row);
        if (error)
            give_up(stored, row, *error);
        else
            load_entry(stored);
    }
    if (!unfinished.empty()) log::info("unfinished jobs taken up", {{"count", unfinished.size()}});
}

void JobEngine::Impl::give_up(const StoredJob& stored, const api::Row* row, const Error& error) {
    log::error("job not resumed", {{"job", stored.id.str()}, {"operation", stored.operation}, {"error", error.details()}});
    Ending ending{JobStatus::failed, to_text(api::to_json(error)), clock_.now(), std::nullopt};
    try {
        if (row) ending.arguments = to_text(api::mask_secrets(*row, json::parse(stored.arguments)));
    } catch (...) {
        ending.arguments = "{}";  // what cannot be read cannot be masked
    }
    try {
        store_.finish(stored.id, ending);
    } catch (const Error& refused) {
        log::error("the end of a job cannot be stored", {{"job", stored.id.str()}, {"error", refused.details()}});
    }
}

std::optional<Error> JobEngine::Impl::reason_not_to_resume(const StoredJob& stored, const api::Row* row) const {
    if (!row || !row->is_job)
        return Error(Code::job_interrupted, "this version of the daemon knows no job " + stored.operation);
    if (stored.starts >= settings_.max_crashes) {
        return Error(Code::job_interrupted,
                     row->name + " was begun " + std::to_string(stored.starts) +
                         " times and the daemon crashed each time; it is not tried again. What it did is "
                         "not undone: look at the resource before repeating the request");
    }
    try {
        row->queues(json::parse(stored.arguments));
    } catch (...) {
        return Error(Code::job_interrupted, "this version of the daemon does not understand the stored arguments of " +
                                                row->name + ": " + current_error().details());
    }
    return std::nullopt;
}

void JobEngine::Impl::load_entry(const StoredJob& stored) {
    auto entry = std::make_shared<Entry>(stored.id);
    entry->row = catalog_.find(stored.operation);
    entry->account = stored.account;
    entry->fingerprint = stored.fingerprint;
    entry->sequence = stored.sequence;
    entry->kind = entry->row->job_class;
    entry->resumed = stored.state == JobStatus::running;
    entry->created = stored.created;
    entry->timeout = stored.timeout;
    entry->wants_schema = stored.wants_schema;
    entry->webhook = stored.webhook;
    entry->progress.set(stored.percent, stored.progress_text);
    entry->phase = Entry::Phase::waiting;

    json arguments = json::parse(stored.arguments);
    entry->queues = entry->row->queues(arguments);
    // Of several jobs that ran when the daemon crashed one is guilty: found by running them one after another.
    if (stored.starts >= 2) entry->queues.emplace_back(suspects_queue);
    if (stored.arguments.size() <= largest_kept_arguments) entry->arguments = std::move(arguments);

    const milliseconds left = std::chrono::duration_cast<milliseconds>(stored.created + stored.timeout - clock_.now());
    entry->deadline = clock_.moment() + std::min(left, longest_timeout);
    // It needs time to find out, or to restore, the truth.
    if (entry->resumed) entry->deadline = std::max(entry->deadline, clock_.moment() + settings_.resume_time);
    deadlines_.emplace(entry->deadline, entry->id);
    schedule_.add(*entry);
    schedule_.release(*entry);
    entries_.emplace(entry->id, entry);
}

void JobEngine::Impl::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (state_ != State::running) return;
        state_ = State::stopping;
    }
    changed_.notify_all();
    timer_.stop();
    chores_.stop();
    wait_until_idle();
    workers_.stop();
    webhooks_.stop();
    {
        const std::lock_guard lock(mutex_);
        entries_.clear();
        deadlines_.clear();
        schedule_ = Schedule(limits_of(settings_));
        state_ = State::stopped;
    }
    changed_.notify_all();
}

void JobEngine::Impl::interrupt(std::unique_lock<std::mutex>& lock, const std::function<bool(const Entry&)>& is_meant) {
    Entries running;
    for (const auto& [id, entry] : entries_)
        if (entry->phase == Entry::Phase::running && is_meant(*entry)) running.push_back(entry);
    if (running.empty()) return;
    log::info("interrupting running jobs", {{"count", running.size()}});
    lock.unlock();
    for (const EntryPtr& entry : running) entry->cancellation.request(CancelReason::stopping);
    lock.lock();
}

void JobEngine::Impl::wait_until_idle() {
    const auto is_idle = [this] { return active_ == 0; };
    const auto is_long = [](const Entry& entry) { return entry.kind == JobClass::copy || entry.kind == JobClass::migrate; };
    const milliseconds first = std::min(settings_.stop_grace, settings_.stop_grace_long);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, first, is_idle)) return;
    interrupt(lock, is_long);
    if (changed_.wait_for(lock, settings_.stop_grace - first, is_idle)) return;
    interrupt(lock, [](const Entry&) { return true; });
    while (!changed_.wait_for(lock, seconds(1), is_idle)) workers_.grow();
}

}  // namespace hvagent::jobs
