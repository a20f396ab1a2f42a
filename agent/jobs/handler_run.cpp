#include "agent/jobs/handler_run.h"

#include <algorithm>

#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr seconds progress_store_distance{1};

bool has_code(const Error& error, std::initializer_list<Code> codes) {
    for (const Error* one = &error; one; one = one->cause())
        if (std::find(codes.begin(), codes.end(), one->code()) != codes.end()) return true;
    return false;
}

// What the client is told of an error that the handler threw.
Error judge(const api::Row& row, const Error& error, CancelReason reason, bool time_is_over, milliseconds timeout) {
    const bool cancelled = has_code(error, {Code::job_cancelled, Code::cancelled});
    const bool timed_out = reason == CancelReason::timeout && (cancelled || has_code(error, {Code::timeout}));
    // A handler that watches the deadline itself may be faster than the timer.
    if (timed_out || (time_is_over && reason == CancelReason::none && has_code(error, {Code::timeout}))) {
        return Error(Code::timeout, row.name + " did not end within its " + in_seconds(timeout) + ": " + error.details());
    }
    if (reason == CancelReason::asked && cancelled && error.code() != Code::job_cancelled)
        return Error(Code::job_cancelled, error.details(), error);
    return api::wrap_failure(row, error);
}

}  // namespace

std::string in_seconds(milliseconds time) {
    const auto ms = time.count();
    std::string text = std::to_string(ms / 1000);
    if (ms % 1000 != 0) {
        const std::string digits = std::to_string(1000 + ms % 1000);
        text += "." + digits.substr(1, digits.find_last_not_of('0'));
    }
    return text + " s";
}

Progress::State Progress::set(int percent, const std::string& text) {
    const std::lock_guard lock(mutex_);
    state_.percent = std::max(state_.percent, std::clamp(percent, 0, 100));
    state_.text = text;
    return state_;
}

Progress::State Progress::get() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

RunningJob::RunningJob(Facts facts, Cancellation& cancellation, Progress& progress, JobStore& store, const Clock& clock)
    : facts_(std::move(facts)),
      cancellation_(cancellation),
      progress_(progress),
      store_(store),
      clock_(clock),
      may_have_memories_(facts_.resumed) {}

void RunningJob::progress(int percent, const std::string& what) {
    const Progress::State now_shown = progress_.set(percent, what);
    const Moment now = clock_.moment();
    if (!last_stored_) last_stored_ = now;  // most jobs end within the first second and store nothing
    if (now - *last_stored_ < progress_store_distance) return;
    last_stored_ = now;
    try {
        store_.set_progress(facts_.id, now_shown.percent, now_shown.text);
    } catch (const Error& error) {
        log::debug("progress not stored", {{"error", error.details()}});  // polls read it from memory
    }
}

void RunningJob::remember(const std::string& key, const json& value) {
    may_have_memories_ = true;
    store_.remember(facts_.id, key, value);
}

std::optional<json> RunningJob::recall(const std::string& key) const {
    return may_have_memories_ ? store_.recall(facts_.id, key) : std::nullopt;
}

Outcome run_handler(const api::Row& row, const json& arguments, const api::References& references, RunningJob& job,
                    const Clock& clock, milliseconds timeout) {
    Outcome outcome;
    try {
        if (!api::admit(row, arguments, references, job.resumed())) {
            outcome.result = json::object();
            return outcome;
        }
    } catch (...) {
        outcome.error = current_error();
        return outcome;
    }
    try {
        if (!job.resumed()) job.cancellation().check();  // asked between its turn and its start
        outcome.result = row.run(job, arguments);
        if (outcome.result.is_null()) outcome.result = json::object();
    } catch (...) {
        const Error error = current_error();
        const CancelReason reason = job.cancellation().reason();
        if (reason == CancelReason::stopping && has_code(error, {Code::job_cancelled, Code::cancelled})) {
            outcome.interrupted = true;
            return outcome;
        }
        outcome.error = judge(row, error, reason, clock.moment() >= job.deadline(), timeout);
    }
    return outcome;
}

}  // namespace hvagent::jobs
