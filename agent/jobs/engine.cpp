#include "agent/jobs/engine.h"

#include <algorithm>

#include "agent/jobs/engine_impl.h"
#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr std::size_t most_chores = 4;

std::size_t most_workers(const JobSettings& settings) {
    std::size_t sum = 0;
    for (std::size_t limit : limits_of(settings)) sum += std::max<std::size_t>(limit, 1);
    return sum;
}

void require_same(const JobId& id, const std::string& known, const std::string& fingerprint) {
    if (known == fingerprint) return;
    throw Error(Code::bad_request, "the job uuid " + id.str() +
                                       " was used for another request; send a new X-Job-UUID, or the same request again");
}

Error stopping_error() {
    return Error(Code::not_ready, "the daemon is starting or stopping; send the request again");
}

}  // namespace

JobEngine::Impl::Impl(Database& database, const Clock& clock, const api::Catalog& catalog, const api::References& references,
                      HttpClient& http, const JobSettings& settings)
    : store_(database),
      clock_(clock),
      catalog_(catalog),
      references_(references),
      settings_(settings),
      schedule_(limits_of(settings)),
      workers_("job", most_workers(settings), settings.thread_idle),
      chores_("job-chore", most_chores, settings.thread_idle),
      webhooks_(*this, http, clock, settings),
      timer_(clock) {
    store_.create_tables();
}

EntryPtr JobEngine::Impl::make_entry(const Submission& submission) const {
    if (!submission.row || !submission.row->is_job)
        throw Error(Code::internal, (submission.row ? submission.row->name : "nothing") + " was submitted, which is no job");
    auto entry = std::make_shared<Entry>(submission.id.value_or(JobId::make()));
    entry->row = submission.row;
    entry->account = submission.account;
    entry->fingerprint = submission.fingerprint;
    entry->kind = submission.row->job_class;
    entry->created = clock_.now();
    const milliseconds asked = submission.timeout.value_or(milliseconds(0));
    entry->timeout = std::min(asked > milliseconds(0) ? asked : submission.row->timeout, longest_timeout);
    entry->deadline = clock_.moment() + entry->timeout;
    entry->wants_schema = submission.wants_schema;
    entry->webhook = submission.webhook;
    if (!submission.refused) entry->queues = submission.row->queues(submission.arguments);
    return entry;
}

StoredJob JobEngine::Impl::to_stored(const Entry& entry, const Submission& submission) const {
    StoredJob stored;
    stored.sequence = entry.sequence;
    stored.id = entry.id;
    stored.operation = entry.row->name;
    stored.account = entry.account;
    stored.fingerprint = entry.fingerprint;
    stored.arguments = to_text(submission.arguments);
    stored.created = entry.created;
    stored.timeout = entry.timeout;
    stored.wants_schema = entry.wants_schema;
    stored.webhook = entry.webhook;
    return stored;
}

JobId JobEngine::Impl::submit(Submission submission) {
    const EntryPtr entry = make_entry(submission);
    if (submission.refused) {
        submit_refused(entry, submission);
        return entry->id;
    }
    if (!reserve(entry)) return entry->id;

    std::optional<std::string> known;
    try {
        const StoredJob stored = to_stored(*entry, submission);
        if (stored.arguments.size() <= largest_kept_arguments) entry->arguments = std::move(submission.arguments);
        known = store_.insert(stored);
    } catch (...) {
        abandon(entry);
        throw;
    }
    if (known) {
        abandon(entry);
        require_same(entry->id, *known, entry->fingerprint);
        return entry->id;
    }
    enqueue(entry, submission.webhook_delay);
    return entry->id;
}

// Gives the job its place. False: the same job is there already, and stored.
bool JobEngine::Impl::reserve(const EntryPtr& entry) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (state_ != State::running) throw stopping_error();
        const auto found = entries_.find(entry->id);
        if (found == entries_.end()) break;
        require_same(entry->id, found->second->fingerprint, entry->fingerprint);
        if (found->second->phase != Entry::Phase::storing) return false;
        changed_.wait(lock);
    }
    if (schedule_.waiting() >= settings_.max_waiting) {
        throw Error(Code::not_ready, "too many jobs: " + std::to_string(schedule_.waiting()) +
                                         " are waiting, and no more than " + std::to_string(settings_.max_waiting) + " may");
    }
    entry->sequence = ++last_sequence_;
    schedule_.add(*entry);
    entries_.emplace(entry->id, entry);
    ++active_;
    return true;
}

void JobEngine::Impl::abandon(const EntryPtr& entry) {
    Entries next;
    {
        const std::lock_guard lock(mutex_);
        --active_;
        entries_.erase(entry->id);
        schedule_.remove(*entry);
        next = take_startable();
    }
    changed_.notify_all();
    run_all(next);
}

void JobEngine::Impl::enqueue(const EntryPtr& entry, milliseconds webhook_delay) {
    Entries next;
    {
        const std::lock_guard lock(mutex_);
        --active_;
        entry->phase = Entry::Phase::waiting;
        entry->webhook_not_before = clock_.moment() + webhook_delay;
        deadlines_.emplace(entry->deadline, entry->id);
        schedule_.release(*entry);
        next = take_startable();
    }
    changed_.notify_all();
    run_all(next);
    arm_timer();
}

void JobEngine::Impl::submit_refused(const EntryPtr& entry, const Submission& submission) {
    {
        const std::lock_guard lock(mutex_);
        if (state_ != State::running) throw stopping_error();
        entry->sequence = ++last_sequence_;
    }
    StoredJob stored = to_stored(*entry, submission);
    stored.arguments = to_text(api::mask_secrets(*entry->row, submission.arguments));
    stored.state = JobStatus::failed;
    stored.finished = entry->created;
    stored.answer = to_text(api::to_json(*submission.refused));
    stored.webhook_pending = !stored.webhook.empty();
    if (const auto known = store_.insert(stored)) {
        require_same(entry->id, *known, entry->fingerprint);
        return;
    }
    log::info("job refused",
              {{"job", entry->id.str()}, {"operation", entry->row->name}, {"error", submission.refused->details()}});
    if (stored.webhook_pending) {
        webhooks_.add({entry->id, entry->webhook, clock_.moment() + submission.webhook_delay,
                       *stored.finished + settings_.webhook_lifetime});
    }
}

JobId JobEngine::Impl::submit_internal(std::string_view operation, const json& arguments) {
    Submission submission;
    submission.row = catalog_.find(operation);
    if (!submission.row) throw Error(Code::internal, "there is no operation " + std::string(operation));
    submission.arguments = submission.row->accept(arguments);
    submission.row->check(submission.arguments);
    return submit(std::move(submission));
}

std::optional<JobStatus> JobEngine::Impl::find(const JobId& id) const {
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(id);
        if (found != entries_.end()) return to_status(*found->second);
    }
    const std::optional<StoredJob> stored = store_.find(id);
    if (!stored || (stored->finished && *stored->finished + settings_.result_lifetime <= clock_.now())) return std::nullopt;
    return to_status(*stored);
}

std::vector<JobStatus> JobEngine::Impl::list(const ListFilter& filter) const {
    std::vector<JobStatus> jobs;
    for (const StoredJob& stored : store_.list(filter)) {
        JobStatus status = to_status(stored);
        status.arguments = json::parse(stored.arguments);
        if (const api::Row* row = catalog_.find(stored.operation))
            status.arguments = api::mask_secrets(*row, status.arguments);
        const std::lock_guard lock(mutex_);
        if (const auto found = entries_.find(stored.id); found != entries_.end() && !stored.finished) {
            const JobStatus live = to_status(*found->second);
            status.state = live.state;
            status.percent = live.percent;
            status.progress_text = live.progress_text;
        }
        jobs.push_back(std::move(status));
    }
    return jobs;
}

JobStatus JobEngine::Impl::to_status(const StoredJob& stored) const {
    JobStatus status;
    status.id = stored.id;
    status.operation = stored.operation;
    status.account = stored.account;
    status.state = stored.state;
    if (stored.state == JobStatus::succeeded) status.result = json::parse(stored.answer);
    if (stored.state == JobStatus::failed) status.error = json::parse(stored.answer);
    status.percent = stored.state == JobStatus::succeeded ? 100 : stored.percent;
    status.progress_text = stored.progress_text;
    status.created = stored.created;
    status.finished = stored.finished;
    status.timeout = stored.timeout;
    status.wants_schema = stored.wants_schema;
    return status;
}

JobStatus JobEngine::Impl::to_status(const Entry& entry) const {
    JobStatus status;
    status.id = entry.id;
    status.operation = entry.row->name;
    status.account = entry.account;
    status.state = entry.phase == Entry::Phase::running ? JobStatus::running : JobStatus::waiting;
    Progress::State progress = entry.progress.get();
    status.percent = progress.percent;
    status.progress_text = std::move(progress.text);
    status.created = entry.created;
    status.timeout = entry.timeout;
    status.wants_schema = entry.wants_schema;
    return status;
}

Cancelled JobEngine::Impl::cancel(const JobId& id) {
    EntryPtr entry;
    bool unstarted = false;
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto found = entries_.find(id);
            entry = found == entries_.end() ? nullptr : found->second;
            if (!entry || entry->phase != Entry::Phase::storing) break;
            changed_.wait(lock);
        }
        if (entry && entry->phase == Entry::Phase::waiting && state_ != State::running) throw stopping_error();
        unstarted = entry && claim_unstarted(*entry);
    }
    if (!entry) return cancel_finished(id);
    if (unstarted) {
        end_unstarted(entry, Error(Code::job_cancelled, entry->row->name + " was cancelled before it started"));
        return Cancelled::ended;
    }
    // A job that is ending already takes no notice.
    entry->cancellation.request(CancelReason::asked);
    return Cancelled::requested;
}

Cancelled JobEngine::Impl::cancel_finished(const JobId& id) const {
    const std::optional<JobStatus> status = find(id);
    if (!status) return Cancelled::unknown_job;
    if (!status->is_finished()) throw stopping_error();
    return Cancelled::finished_already;
}

bool JobEngine::Impl::wait(const JobId& id, Moment deadline) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return !entries_.contains(id); });
}

Load JobEngine::Impl::load() const {
    Load load;
    load.worker_threads = workers_.threads();
    load.webhook_threads = webhooks_.threads();
    load.pending_webhooks = webhooks_.pending();
    const std::lock_guard lock(mutex_);
    load.waiting = schedule_.waiting();
    load.running = schedule_.running();
    for (std::size_t i = 0; i < load.classes.size(); ++i) {
        const auto kind = static_cast<JobClass>(i);
        load.classes[i] = {schedule_.waiting(kind), schedule_.running(kind)};
    }
    return load;
}

JobEngine::JobEngine(Database& database, const Clock& clock, const api::Catalog& catalog, const api::References& references,
                     HttpClient& http, JobSettings settings)
    : impl_(std::make_unique<Impl>(database, clock, catalog, references, http, settings)) {}
JobEngine::~JobEngine() = default;

void JobEngine::count_with(JobCounters counters) {
    impl_->counters_ = std::move(counters);
}
void JobEngine::log_endings_with(EndingLog log) {
    impl_->log_endings_with(std::move(log));
}
void JobEngine::set_decorate(Decorate decorate) {
    impl_->decorate_ = std::move(decorate);
}
void JobEngine::start() {
    impl_->start();
}
void JobEngine::stop() {
    impl_->stop();
}
JobId JobEngine::submit(Submission submission) {
    return impl_->submit(std::move(submission));
}
JobId JobEngine::submit_internal(std::string_view operation, const json& arguments) {
    return impl_->submit_internal(operation, arguments);
}
std::optional<JobStatus> JobEngine::find(const JobId& id) const {
    return impl_->find(id);
}
std::vector<JobStatus> JobEngine::list(const ListFilter& filter) const {
    return impl_->list(filter);
}
Cancelled JobEngine::cancel(const JobId& id) {
    return impl_->cancel(id);
}
bool JobEngine::wait(const JobId& id, Moment deadline) const {
    return impl_->wait(id, deadline);
}
Load JobEngine::load() const {
    return impl_->load();
}
void JobEngine::check_times() {
    impl_->check_times();
}

}  // namespace hvagent::jobs
