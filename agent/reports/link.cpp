#include "agent/reports/link.h"

#include <pthread.h>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::reports {
namespace {

constexpr std::size_t largest_batch = 500;
constexpr std::size_t largest_batch_bytes = 512 * 1024;

std::unique_ptr<Dialect> make_dialect(const LinkParts& parts, const Controller& controller) {
    if (controller.dialect == "zstack") return make_zstack_dialect(parts.host_uuid);
    return make_own_dialect(parts.clock, parts.host_uuid, parts.log.boot());
}

}  // namespace

Link::Link(const LinkParts& parts, Controller controller)
    : parts_(parts),
      controller_(std::move(controller)),
      dialect_(make_dialect(parts, controller_)),
      confirmed_(controller_.confirmed),
      told_(confirmed_),
      shown_confirmed_(confirmed_) {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "report-link");
        run();
    });
}

Link::~Link() {
    stop();
    thread_.join();
}

void Link::news() {
    {
        const std::lock_guard lock(mutex_);
        ++news_;
    }
    changed_.notify_all();
}

void Link::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
}

bool Link::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

json Link::status() const {
    const std::lock_guard lock(mutex_);
    json shown = {{"confirmedSequence", parts_.log.sequence_at(shown_confirmed_)}, {"failuresInARow", failures_}};
    if (!last_error_.empty()) shown["lastError"] = last_error_;
    if (clock_ahead_) shown["clockAheadMs"] = clock_ahead_->count();
    if (last_success_ != Time{}) shown["lastSuccess"] = iso_time(last_success_);
    return shown;
}

void Link::run() {
    while (!stopping()) {
        std::uint64_t seen = 0;
        {
            const std::lock_guard lock(mutex_);
            seen = news_;
        }
        try {
            if (turn()) continue;
        } catch (...) {
            failed(current_error().details());
            continue;
        }
        Moment until = std::min(last_post_ + parts_.settings.heartbeat, last_picture_ + parts_.settings.picture_every);
        if (wish_.snapshot || wish_.replay_from) until = std::min(until, wish_after_);
        std::unique_lock lock(mutex_);
        const auto distance = std::max(until - parts_.clock.moment(), Moment::duration(milliseconds(1)));
        changed_.wait_for(lock, distance, [&] { return stopping_ || news_ != seen; });
    }
}

bool Link::turn() {
    if (pending_) return deliver_pending();
    const Moment now = parts_.clock.moment();
    if ((wish_.snapshot || wish_.replay_from) && now >= wish_after_) grant(std::exchange(wish_, {}));
    if (now >= last_picture_ + parts_.settings.picture_every) wants_picture_ = true;
    Work work = next_work();
    if (!work.is_empty()) {
        auto letters = work.picture ? dialect_->write(*work.picture) : dialect_->write(work.batch, work.first_sequence);
        return deliver(std::move(work), std::move(letters));
    }
    if (work.until > confirmed_) confirm(work.until);
    if (now < last_post_ + parts_.settings.heartbeat) return false;
    json host;
    parts_.log.database().read([&](SqlSession&) { host = parts_.host_part(); });
    auto letters = dialect_->write_heartbeat(host, parts_.log.sequence_at(told_));
    return deliver(std::move(work), std::move(letters));
}

// What the controller has not confirmed comes first, then the picture: it never sees an old state after a new one.
Link::Work Link::next_work() {
    Work work;
    work.until = confirmed_;
    parts_.log.database().read([&](SqlSession& session) {
        const bool lost = !parts_.log.reaches(session, confirmed_);
        if (!lost) {
            take_batch(work, parts_.log.after(session, confirmed_, largest_batch));
            if (!work.batch.empty() || work.until > confirmed_ || !wants_picture_) return;
        }
        Picture picture;
        picture.is_first = is_first_picture_;
        picture.lost_reports = lost;
        picture.position = work.until = parts_.log.newest(session);
        picture.sequence = parts_.log.sequence_at(picture.position);
        picture.host = parts_.host_part();
        picture.vms = parts_.vms_part();
        work.picture = std::move(picture);
    });
    if (work.picture && work.picture->lost_reports)
        log::warning("reports made room before a controller took them; it gets the whole picture",
                     {{"controller", controller_.uuid}});
    return work;
}

bool Link::is_wanted(const Report& report) const {
    return report.kind != job_results || controller_.wants_jobs;
}

void Link::take_batch(Work& work, std::vector<Report> found) const {
    std::size_t bytes = 0;
    for (Report& report : found) {
        const bool begins = work.batch.empty();
        if (!begins && report.boot != work.batch.back().boot) return;
        if (is_wanted(report)) {
            bytes += report.items.size();
            if (!begins && (report.kind != work.batch.back().kind || bytes > largest_batch_bytes)) return;
            // Counted from the last one it heard of, as far as that is of the same life.
            if (begins) work.first_sequence = std::max<std::int64_t>(1, report.sequence - (report.position - told_ - 1));
            work.batch.push_back(report);
        }
        work.until = report.position;
    }
}

bool Link::deliver(Work work, std::vector<Letter> letters) {
    pending_ = Pending{std::move(work), std::move(letters)};
    return deliver_pending();
}

bool Link::deliver_pending() {
    for (; pending_->taken < pending_->letters.size(); ++pending_->taken) {
        if (stopping()) return true;
        if (post(pending_->letters[pending_->taken])) continue;
        // What is new by the next try goes along with it.
        if (!dialect_->remembers()) pending_.reset();
        return true;
    }
    const Work work = std::move(pending_->work);
    pending_.reset();
    last_post_ = parts_.clock.moment();
    if (work.picture) {
        wants_picture_ = is_first_picture_ = false;
        last_picture_ = last_post_;
    }
    if (work.picture) told_ = work.picture->position;
    if (!work.batch.empty()) told_ = work.batch.back().position;
    if (work.until > confirmed_ || !work.batch.empty()) confirm(work.until);
    return true;
}

bool Link::post(const Letter& letter) {
    auto headers = letter.headers;
    if (!controller_.token.empty()) headers["Authorization"] = "Bearer " + controller_.token;
    HttpReply reply;
    const Time sent = parts_.clock.now();
    try {
        reply = parts_.http.post(controller_.url, headers, letter.body, parts_.settings.timeout);
    } catch (...) {
        failed(current_error().details());
        return false;
    }
    compare_clocks(sent, reply);
    if (!dialect_->is_taken(reply)) {
        failed("the controller answered " + std::to_string(reply.status));
        return false;
    }
    const Wish wish = dialect_->read(reply);
    if (wish.snapshot) wish_.snapshot = true;
    if (wish.replay_from) {
        wish_.replay_from = wish.replay_from;
        wish_.boot = wish.boot;
    }
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) log::info("a controller takes reports again", {{"controller", controller_.uuid}});
    failures_ = 0;
    last_error_.clear();
    last_success_ = parts_.clock.now();
    return true;
}

// The controller looked at its clock between our sending and now, and dropped the fraction of a second.
void Link::compare_clocks(Time sent, const HttpReply& reply) {
    if (!reply.date) return;
    const Time earliest = sent - seconds(1), latest = parts_.clock.now();
    milliseconds ahead{0};
    if (*reply.date > latest) ahead = std::chrono::duration_cast<milliseconds>(*reply.date - latest);
    if (*reply.date < earliest) ahead = std::chrono::duration_cast<milliseconds>(*reply.date - earliest);
    const std::lock_guard lock(mutex_);
    clock_ahead_ = ahead;
}

std::optional<milliseconds> Link::clock_ahead() const {
    const std::lock_guard lock(mutex_);
    return clock_ahead_;
}

// A controller that asks again and again is not answered faster than this.
void Link::grant(const Wish& wish) {
    wish_after_ = parts_.clock.moment() + parts_.settings.wish_distance;
    if (wish.snapshot) wants_picture_ = true;
    if (!wish.replay_from) return;
    std::optional<std::int64_t> position;
    parts_.log.database().read([&](SqlSession& session) {
        position = parts_.log.position_of(session, wish.boot.empty() ? parts_.log.boot() : wish.boot, *wish.replay_from - 1);
    });
    if (position)
        confirm(told_ = *position);
    else
        wants_picture_ = true;  // there is no such report: what there is, is all it can get
}

void Link::failed(const std::string& why) {
    milliseconds pause{0};
    {
        const std::lock_guard lock(mutex_);
        if (failures_++ == 0)
            log::warning("a controller does not take reports", {{"controller", controller_.uuid}, {"reason", why}});
        last_error_ = why;
        const auto whole =
            std::min(parts_.settings.first_pause * (1 << std::min(failures_ - 1, 16)), parts_.settings.longest_pause);
        pause = milliseconds(std::uniform_int_distribution<std::int64_t>(whole.count() / 2, whole.count())(random_));
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [this] { return stopping_; });
}

void Link::confirm(std::int64_t position) {
    confirmed_ = position;
    parts_.store.confirm(controller_.uuid, position);
    const std::lock_guard lock(mutex_);
    shown_confirmed_ = position;
}

}  // namespace hvagent::reports
