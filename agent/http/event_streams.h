// Readers of GET /hvagent/v1/events (server-sent events): one thread serves them all and waits for none.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/http/settings.h"
#include "agent/http/transport/message.h"
#include "hvagent/clock.h"
#include "hvagent/event_feed.h"

namespace hvagent::http {

// Thread-safe.
class EventStreams {
public:
    // `is_allowed`: whether a session still holds; asked at each heartbeat.
    EventStreams(EventFeed& feed, const Clock& clock, EventStreamSettings settings,
                 std::function<bool(const std::string& session)> is_allowed);
    ~EventStreams() { stop(); }

    // Answers with a stream. Error(not_ready): there are too many, or the agent is stopping.
    void open(Exchange& exchange, const std::string& session);
    // Ends all streams with a word. Safe to call twice.
    void stop();
    std::size_t readers() const;

private:
    struct Reader {
        std::shared_ptr<AnswerStream> stream;
        EventFeed::Place place;
        std::string session;
        std::size_t unsent_before = 0;
        Moment last_progress{};
        Moment last_sent{};
        Moment last_check{};  // of the session
    };
    enum class Outcome { idle, waits_for_client, has_more, ended };

    void run();
    Outcome serve(Reader& reader, std::int64_t newest);
    bool feed_some(Reader& reader, std::int64_t newest);
    void end(Reader& reader, const std::string& why);
    Outcome serve_all();

    EventFeed& feed_;
    const Clock& clock_;
    const EventStreamSettings settings_;
    const std::function<bool(const std::string&)> is_allowed_;
    std::vector<Reader> readers_;  // of the thread

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Reader> arrivals_;
    std::size_t count_ = 0;
    bool has_news_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace hvagent::http
