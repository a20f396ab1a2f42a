#include <algorithm>

#include "agent/jobs/engine_impl.h"
#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr seconds retry_distance{1};
constexpr seconds expiry_distance{60};  // results that expired are no longer found; removing them is no hurry
constexpr std::size_t expiry_batch = 500;

// The first VM the job works on; empty: none.
std::string_view vm_of(const Schedule::Ticket& ticket) {
    constexpr std::string_view prefix = "VmInstance:";
    for (const std::string& queue : ticket.queues)
        if (queue.starts_with(prefix)) return std::string_view(queue).substr(prefix.size());
    return "";
}

}  // namespace

JobEngine::Impl::Entries JobEngine::Impl::take_startable() {
    Entries taken;
    while (state_ == State::running) {
        Schedule::Ticket* ticket = schedule_.take();
        if (!ticket) break;
        auto& entry = static_cast<Entry&>(*ticket);
        entry.phase = Entry::Phase::running;
        ++active_;
        taken.push_back(entry.shared_from_this());
    }
    return taken;
}

void JobEngine::Impl::run_all(const Entries& entries, std::size_t from) {
    for (std::size_t i = from; i < entries.size(); ++i) workers_.run([this, entry = entries[i]] { work(entry); });
}

void JobEngine::Impl::work(EntryPtr entry) {
    while (entry) entry = work_one(entry);
}

// Returns a job that this worker shall run next, or null.
EntryPtr JobEngine::Impl::work_one(const EntryPtr& entry) {
    const log::Scope scope({{"job", entry->id.str()}, {"operation", entry->row->name}});
    std::optional<log::Scope> vm_scope;
    if (const std::string_view vm = vm_of(*entry); !vm.empty())
        vm_scope.emplace(std::initializer_list<log::Field>{{"vm", vm}});
    const Moment began = clock_.moment();
    Outcome outcome;
    try {
        if (!begin(*entry)) return leave(entry, false);
        log::info("job started", {{"resumed", entry->resumed}});
        RunningJob job({entry->id, entry->account, entry->deadline, entry->resumed}, entry->cancellation, entry->progress,
                       store_, clock_);
        outcome = run_handler(*entry->row, *entry->arguments, references_, job, clock_, entry->timeout);
    } catch (...) {
        outcome.error = current_error();
    }
    if (outcome.interrupted) return leave(entry, true);
    const Ending ending = make_ending(*entry, outcome);
    if (!store_ending(*entry, ending)) return leave(entry, true);

    const auto ran = std::chrono::duration_cast<milliseconds>(clock_.moment() - began);
    const auto took = ran.count();
    count(*entry, !outcome.error, ran, ending.finished);
    if (outcome.error)
        log::info("job failed", {{"took_ms", took}, {"error", outcome.error->details()}});
    else
        log::info("job done", {{"took_ms", took}});
    const Entries next = retire(entry, ending.finished);
    run_all(next, 1);
    return next.empty() ? nullptr : next.front();
}

// The start is on record before the handler acts, so that a killed daemon knows at its next start what it had begun. It is
// not flushed: only a power cut could lose it, and every flushed write that the handler makes later carries it along, as
// they share one write-ahead log. What a handler did without any such write is gone with the power, too (running VMs), or
// is a file that its first step finds again.
bool JobEngine::Impl::begin(Entry& entry) {
    {
        const std::lock_guard lock(mutex_);
        if (state_ != State::running) return false;
    }
    load_arguments(entry);
    store_.mark_started(entry.id);
    return true;
}

void JobEngine::Impl::load_arguments(Entry& entry) const {
    if (entry.arguments) return;
    const auto stored = store_.find(entry.id);
    if (!stored) throw Error(Code::internal, "the job is no longer in the database");
    entry.arguments = json::parse(stored->arguments);
}

Ending JobEngine::Impl::make_ending(const Entry& entry, const Outcome& outcome) const {
    Ending ending;
    ending.state = outcome.error ? JobStatus::failed : JobStatus::succeeded;
    ending.answer = to_text(outcome.error ? api::to_json(*outcome.error) : outcome.result);
    ending.finished = clock_.now();
    if (entry.arguments) {
        const json masked = api::mask_secrets(*entry.row, *entry.arguments);
        if (masked != *entry.arguments) ending.arguments = to_text(masked);
    }
    return ending;
}

// A full disk must not turn done work into a job that never ends, nor into one that is told and then forgotten: tried until
// it is stored. False: the daemon stops first, and the next start finds out what was done.
bool JobEngine::Impl::store_ending(const Entry& entry, const Ending& ending) {
    for (;;) {
        try {
            store_.finish(entry.id, ending);
            return true;
        } catch (...) {
            log::error("the end of a job cannot be stored", {{"error", current_error().details()}});
        }
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, retry_distance, [this] { return state_ != State::running; })) return false;
    }
}

void JobEngine::Impl::count(const Entry& entry, bool succeeded, milliseconds ran, Time ended) const {
    if (!counters_.job_ended) return;
    const auto waited = std::chrono::duration_cast<milliseconds>(ended - entry.created) - ran;
    counters_.job_ended({entry.row->name, entry.kind, succeeded, std::max(waited, milliseconds(0)), ran});
}

// Unfinished, for the next start of the daemon.
EntryPtr JobEngine::Impl::leave(const EntryPtr& entry, bool had_started) {
    if (had_started) {
        log::info("job left for the next start", {});
        try {
            store_.mark_interrupted(entry->id);
        } catch (const Error& error) {
            log::warning("the interruption counts as a crash of the job", {{"error", error.details()}});
        }
    }
    {
        const std::lock_guard lock(mutex_);
        --active_;
    }
    changed_.notify_all();
    return nullptr;
}

// The end is stored. Returns the jobs that may start now.
JobEngine::Impl::Entries JobEngine::Impl::retire(const EntryPtr& entry, Time finished) {
    Entries next;
    {
        const std::lock_guard lock(mutex_);
        entries_.erase(entry->id);
        deadlines_.erase({entry->deadline, entry->id});
        schedule_.remove(*entry);
        --active_;
        if (!next_expiry_) next_expiry_ = finished + settings_.result_lifetime;
        next = take_startable();
    }
    changed_.notify_all();
    if (!entry->webhook.empty())
        webhooks_.add({entry->id, entry->webhook, entry->webhook_not_before, finished + settings_.webhook_lifetime});
    arm_timer();
    return next;
}

bool JobEngine::Impl::claim_unstarted(Entry& entry) {
    if (entry.phase != Entry::Phase::waiting) return false;
    entry.phase = Entry::Phase::ending;
    ++active_;
    schedule_.hold(entry);  // its place stays taken until its end is stored
    return true;
}

void JobEngine::Impl::end_unstarted(const EntryPtr& entry, const Error& error) {
    Outcome outcome;
    outcome.error = error;
    Ending ending;
    try {
        load_arguments(*entry);
        ending = make_ending(*entry, outcome);
        store_.finish(entry->id, ending);
    } catch (...) {
        Entries next;
        {
            const std::lock_guard lock(mutex_);
            --active_;
            entry->phase = Entry::Phase::waiting;
            schedule_.release(*entry);
            next = take_startable();
        }
        changed_.notify_all();
        run_all(next);
        throw;
    }
    count(*entry, false, milliseconds(0), ending.finished);
    log::info("job ended before it started",
              {{"job", entry->id.str()}, {"operation", entry->row->name}, {"error", error.details()}});
    run_all(retire(entry, ending.finished));
}

void JobEngine::Impl::end_late(const EntryPtr& entry) {
    try {
        end_unstarted(entry, Error(Code::timeout, entry->row->name + " never started: its " + in_seconds(entry->timeout) +
                                                      " were over while it waited for earlier jobs"));
    } catch (const Error& error) {
        log::error("the end of a job cannot be stored", {{"job", entry->id.str()}, {"error", error.details()}});
        {
            const std::lock_guard lock(mutex_);
            deadlines_.emplace(clock_.moment() + retry_distance, entry->id);
        }
        arm_timer();
    }
}

void JobEngine::Impl::take_late(Entries& unstarted, Entries& running) {
    const Moment now = clock_.moment();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto found = entries_.find(deadlines_.begin()->second);
        deadlines_.erase(deadlines_.begin());
        if (found == entries_.end()) continue;
        if (claim_unstarted(*found->second))
            unstarted.push_back(found->second);
        else if (found->second->phase == Entry::Phase::running)
            running.push_back(found->second);
    }
}

void JobEngine::Impl::check_times() {
    Entries unstarted;
    Entries running;
    bool expiry_due = false;
    {
        const std::lock_guard lock(mutex_);
        if (state_ != State::running) return;
        take_late(unstarted, running);
        expiry_due = next_expiry_ && *next_expiry_ <= clock_.now();
        if (expiry_due) next_expiry_.reset();
    }
    for (const EntryPtr& entry : unstarted) chores_.run([this, entry] { end_late(entry); });
    // What it wakes may take its time.
    for (const EntryPtr& entry : running) chores_.run([entry] { entry->cancellation.request(CancelReason::timeout); });
    if (expiry_due) chores_.run([this] { remove_expired(); });
    workers_.grow();
    chores_.grow();
    webhooks_.send_due();
    arm_timer();
}

void JobEngine::Impl::remove_expired() {
    int removed = 0;
    std::optional<Time> next;
    try {
        const Time now = clock_.now();
        int batch = 0;
        do {
            batch = store_.remove_finished(now - settings_.result_lifetime, now - settings_.webhook_lifetime, expiry_batch);
            removed += batch;
        } while (batch == static_cast<int>(expiry_batch));
        next = store_.oldest_finished();
    } catch (const Error& error) {
        log::warning("expired jobs not removed", {{"error", error.details()}});
        next = clock_.now();
    }
    if (removed > 0) log::debug("expired jobs removed", {{"count", removed}});
    {
        const std::lock_guard lock(mutex_);
        if (next) next_expiry_ = std::max(*next + settings_.result_lifetime, clock_.now() + expiry_distance);
    }
    arm_timer();
}

void JobEngine::Impl::arm_timer() {
    std::optional<Moment> next = webhooks_.next_due();
    const std::lock_guard lock(mutex_);
    if (state_ != State::running) return;
    const auto consider = [&next](Moment moment) { next = next ? std::min(*next, moment) : moment; };
    if (!deadlines_.empty()) consider(deadlines_.begin()->first);
    if (next_expiry_) {
        const auto left = std::chrono::duration_cast<milliseconds>(*next_expiry_ - clock_.now());
        consider(clock_.moment() + std::max<milliseconds>(left, milliseconds(0)) + expiry_distance);
    }
    if (!next || (armed_ && *armed_ <= *next)) return;
    armed_ = next;
    timer_.at(*next, [this] {
        {
            const std::lock_guard inner(mutex_);
            armed_.reset();
        }
        check_times();
    });
}

std::optional<Letter> JobEngine::Impl::write_letter(const JobId& job) {
    const std::optional<StoredJob> stored = store_.find(job);
    if (!stored || !stored->webhook_pending) return std::nullopt;
    if (stored->state == JobStatus::failed) return Letter{"{\"error\":" + stored->answer + "}", false};
    const api::Row* row = catalog_.find(stored->operation);
    if (!row || !decorate_) return Letter{stored->answer, true};
    try {
        return Letter{to_text(decorate_(*row, json::parse(stored->answer), stored->wants_schema)), true};
    } catch (...) {
        log::error("webhook body not decorated", {{"job", job.str()}, {"error", current_error().details()}});
        return Letter{stored->answer, true};
    }
}

void JobEngine::Impl::each_pending(const std::function<void(Webhook)>& visit) {
    store_.each_pending_webhook([&](const StoredJob& job) {
        visit({job.id, job.webhook, Moment{}, *job.finished + settings_.webhook_lifetime});
    });
}

}  // namespace hvagent::jobs
