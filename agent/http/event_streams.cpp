#include "agent/http/event_streams.h"

#include <pthread.h>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

constexpr std::size_t events_at_once = 100;
constexpr milliseconds client_pause{50};  // until a reader that is behind is looked at again

std::string text_of(const FeedEvent& event) {
    return "id: " + event.id + "\nevent: " + event.kind + "\ndata: " + event.data + "\n\n";
}

}  // namespace

EventStreams::EventStreams(EventFeed& feed, const Clock& clock, EventStreamSettings settings,
                           std::function<bool(const std::string& session)> is_allowed)
    : feed_(feed), clock_(clock), settings_(settings), is_allowed_(std::move(is_allowed)) {
    feed_.on_news([this] {
        {
            const std::lock_guard lock(mutex_);
            has_news_ = true;
        }
        changed_.notify_all();
    });
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "event-streams");
        run();
    });
}

void EventStreams::open(Exchange& exchange, const std::string& session) {
    Reader reader;
    reader.place = feed_.find(exchange.request.header("last-event-id"));
    reader.session = session;
    reader.last_progress = reader.last_sent = reader.last_check = clock_.moment();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) throw Error(Code::not_ready, "the agent is stopping");
        if (count_ >= settings_.most_readers)
            throw Error(Code::not_ready,
                        "there are " + std::to_string(settings_.most_readers) + " readers of events already");
        ++count_;
    }
    Response head;
    head.content_type = "text/event-stream";
    reader.stream = exchange.stream(head);
    reader.stream->send("retry: 1000\n\n");
    const std::lock_guard lock(mutex_);
    arrivals_.push_back(std::move(reader));
    has_news_ = true;
    changed_.notify_all();
}

void EventStreams::stop() {
    feed_.on_news({});
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::size_t EventStreams::readers() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

void EventStreams::run() {
    Outcome outcome = Outcome::idle;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            const auto is_due = [this] { return stopping_ || has_news_; };
            if (outcome == Outcome::waits_for_client)
                changed_.wait_for(lock, client_pause, is_due);
            else if (outcome == Outcome::idle && readers_.empty())
                changed_.wait(lock, is_due);
            else if (outcome == Outcome::idle)
                changed_.wait_for(lock, std::min(settings_.heartbeat, milliseconds(1000)), is_due);
            has_news_ = false;
            for (Reader& arrival : arrivals_) readers_.push_back(std::move(arrival));
            arrivals_.clear();
            if (stopping_) break;
        }
        try {
            outcome = serve_all();
        } catch (...) {
            log::error("events cannot be read", {{"error", current_error().details()}});
            outcome = Outcome::idle;
        }
    }
    for (Reader& reader : readers_) end(reader, "the agent stops");
    readers_.clear();
}

// The most urgent outcome of all readers.
EventStreams::Outcome EventStreams::serve_all() {
    const std::int64_t newest = readers_.empty() ? 0 : feed_.newest();
    Outcome most_urgent = Outcome::idle;
    const std::size_t before = readers_.size();
    std::erase_if(readers_, [&](Reader& reader) {
        const Outcome outcome = serve(reader, newest);
        if (outcome == Outcome::ended) return true;
        most_urgent = std::max(most_urgent, outcome);
        return false;
    });
    const std::lock_guard lock(mutex_);
    count_ -= before - readers_.size();
    return most_urgent;
}

EventStreams::Outcome EventStreams::serve(Reader& reader, std::int64_t newest) {
    if (!reader.stream->is_open()) return Outcome::ended;
    const Moment now = clock_.moment();
    const std::size_t unsent = reader.stream->unsent();
    if (unsent == 0 || unsent < reader.unsent_before) reader.last_progress = now;
    if (now - reader.last_progress > settings_.patience) {
        end(reader, "the reader is too slow");
        return Outcome::ended;
    }
    const bool is_behind = reader.place.needs_picture || reader.place.position < newest;
    const bool has_more = is_behind && unsent < settings_.most_unsent && feed_some(reader, newest);
    if (now - reader.last_check >= settings_.heartbeat) {
        reader.last_check = now;
        if (!is_allowed_(reader.session)) {
            end(reader, "the session is over");
            return Outcome::ended;
        }
    }
    if (now - reader.last_sent >= settings_.heartbeat) {
        if (unsent < settings_.most_unsent) reader.stream->send(": heartbeat\n\n");
        reader.last_sent = now;
    }
    reader.unsent_before = reader.stream->unsent();
    if (has_more) return Outcome::has_more;
    return reader.unsent_before > 0 || is_behind ? Outcome::waits_for_client : Outcome::idle;
}

// True when there is more for it.
bool EventStreams::feed_some(Reader& reader, std::int64_t newest) {
    std::string text;
    for (const FeedEvent& event : feed_.read(reader.place, events_at_once)) text += text_of(event);
    reader.stream->send(text);
    reader.last_sent = clock_.moment();
    return reader.place.position < newest;
}

void EventStreams::end(Reader& reader, const std::string& why) {
    log::debug("a stream of events ends", {{"because", why}});
    reader.stream->close("event: end\ndata: {\"reason\":\"" + why + "\"}\n\n");
}

}  // namespace hvagent::http
