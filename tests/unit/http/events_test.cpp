// GET /hvagent/v1/events and the agent's own paths.
#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

class FakeFeed final : public EventFeed {
public:
    Place find(const std::string& id) const override { return id.empty() ? Place{0, true} : Place{std::stoll(id), false}; }
    std::vector<FeedEvent> read(Place& place, std::size_t most) const override {
        const std::lock_guard lock(mutex_);
        if (std::exchange(place.needs_picture, false)) {
            place.position = static_cast<std::int64_t>(events_.size());
            return {{std::to_string(place.position), "snapshot", "{}"}};
        }
        std::vector<FeedEvent> found;
        for (; found.size() < most && place.position < static_cast<std::int64_t>(events_.size()); ++place.position)
            found.push_back(events_[static_cast<std::size_t>(place.position)]);
        return found;
    }
    std::int64_t newest() const override {
        const std::lock_guard lock(mutex_);
        return static_cast<std::int64_t>(events_.size());
    }
    void on_news(std::function<void()> listener) override {
        const std::lock_guard lock(listener_mutex_);
        listener_ = std::move(listener);
    }
    void add(const std::string& data) {
        {
            const std::lock_guard lock(mutex_);
            events_.push_back({std::to_string(events_.size() + 1), "news", data});
        }
        const std::lock_guard lock(listener_mutex_);
        if (listener_) listener_();
    }

private:
    mutable std::mutex mutex_;
    std::mutex listener_mutex_;
    std::vector<FeedEvent> events_;
    std::function<void()> listener_;
};

class Events : public HttpServerTest {
protected:
    ~Events() override { server.reset(); }
    void start() {
        settings.listen = "127.0.0.1:0";
        jobs.start();
        HttpParts parts{catalog, shapes, every_vm, jobs, identity, clock, [this] { return not_ready; }, "1.2.3"};
        parts.events = &feed;
        parts.own_paths.push_back({"things", [](const std::string& method, const std::string& rest, const json& body) {
                                       if (rest == "bad") throw Error(Code::invalid_argument, "bad by name");
                                       return json{{"method", method}, {"rest", rest}, {"body", body}};
                                   }});
        server = std::make_unique<HttpServer>(settings, parts);
        server->start();
        session = log_in();
    }
    std::unique_ptr<RawClient> reader(const std::string& headers = "", int receive_buffer = 0) {
        auto client = std::make_unique<RawClient>(server->port(), receive_buffer);
        EXPECT_TRUE(client->send(
            request_text("GET", "/hvagent/v1/events", "Authorization: OAuth " + session + "\r\n" + headers, "")));
        return client;
    }
    // Reads until `text` came; what came.
    static std::string read_until(RawClient& client, const std::string& text) {
        std::string all;
        char bytes[65536];
        while (all.find(text) == std::string::npos) {
            const ssize_t got = recv(client.socket(), bytes, sizeof bytes, 0);
            if (got <= 0) return all + "<end>";
            all.append(bytes, static_cast<std::size_t>(got));
        }
        return all;
    }
    FakeFeed feed;
};

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_F(Events, AReaderGetsAPictureAndThenEachEventAtOnce) {
    start();
    const auto client = reader();
    const std::string head = read_until(*client, "event: snapshot\ndata: {}\n\n");
    EXPECT_TRUE(holds(head, "HTTP/1.1 200 OK")) << head;
    EXPECT_TRUE(holds(head, "text/event-stream"));
    feed.add("{\"n\":1}");
    EXPECT_TRUE(holds(read_until(*client, "\"n\":1}\n\n"), "id: 1\nevent: news\ndata: {\"n\":1}\n\n"));
}

TEST_F(Events, AReaderThatComesBackGetsWhatItMissed) {
    start();
    for (int i = 1; i <= 500; ++i) feed.add("{\"n\":" + std::to_string(i) + "}");
    const auto client = reader("Last-Event-ID: 250\r\n");
    const std::string text = read_until(*client, "{\"n\":500}");
    EXPECT_TRUE(holds(text, "id: 251\n"));
    EXPECT_FALSE(holds(text, "id: 250\n"));
    EXPECT_FALSE(holds(text, "snapshot"));
}

TEST_F(Events, ASessionIsNeeded) {
    start();
    EXPECT_EQ(ask("GET", "/hvagent/v1/events").status, 400);
    EXPECT_EQ(ask("GET", "/hvagent/v1/events", "", "Authorization: OAuth nonsense\r\n").status, 503);
    EXPECT_EQ(call("POST", "/hvagent/v1/events", "{}").status, 405);
}

TEST_F(Events, ASlowReaderIsCutAndOthersDoNotNotice) {
    settings.event_streams.patience = milliseconds(300);
    settings.event_streams.most_unsent = 64 * 1024;
    start();
    const auto slow = reader("", 4096);
    const auto quick = reader();
    read_until(*quick, "snapshot");
    const std::string large(20000, 'x');
    for (int i = 0; i < 500; ++i) feed.add("\"" + large + "\"");
    feed.add("\"last\"");
    EXPECT_FALSE(holds(read_until(*quick, "\"last\""), "<end>"));
    // The slow one takes nothing for longer than the patience, then finds the end of its stream.
    std::this_thread::sleep_for(milliseconds(3000));
    feed.add("\"after\"");
    read_until(*quick, "\"after\"");
    EXPECT_TRUE(holds(read_until(*slow, "\"after\""), "<end>"));
    EXPECT_EQ(call("GET", "/hvagent/v1/health").status, 200);
}

TEST_F(Events, ThereIsABoundForReaders) {
    settings.event_streams.most_readers = 2;
    start();
    auto first = reader(), second = reader();
    read_until(*first, "snapshot");
    read_until(*second, "snapshot");
    EXPECT_EQ(call("GET", "/hvagent/v1/events").status, 503);
    first.reset();
    feed.add("{}");  // it is noticed at the latest when something is to be sent
    for (int i = 0; i < 200; ++i) {
        const auto third = reader();
        if (holds(read_until(*third, "\n\n"), "200 OK")) return;
        std::this_thread::sleep_for(milliseconds(20));
    }
    FAIL() << "the place of a reader that went away stays taken";
}

TEST_F(Events, AStopEndsStreamsWithAWord) {
    start();
    const auto client = reader();
    read_until(*client, "snapshot");
    const Moment began = std::chrono::steady_clock::now();
    server->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
    EXPECT_TRUE(holds(read_until(*client, "never"), "event: end\ndata: {\"reason\":\"the agent stops\"}\n\n<end>"));
}

TEST_F(Events, AClosedSessionEndsItsStream) {
    settings.event_streams.heartbeat = milliseconds(50);
    start();
    const auto client = reader();
    read_until(*client, ": heartbeat");
    EXPECT_EQ(call("DELETE", "/zstack/v1/accounts/sessions/" + session).status, 200);
    EXPECT_TRUE(holds(read_until(*client, "never"), "the session is over"));
}

TEST_F(Events, ManyReadersGetEverything) {
    settings.event_streams.most_readers = 50;
    start();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 50; ++i) clients.push_back(reader());
    for (const auto& client : clients) read_until(*client, "snapshot");
    for (int i = 1; i <= 200; ++i) feed.add("{\"n\":" + std::to_string(i) + "}");
    for (const auto& client : clients) {
        const std::string text = read_until(*client, "{\"n\":200}");
        for (int i = 1; i <= 200; ++i) EXPECT_TRUE(holds(text, "id: " + std::to_string(i) + "\n"));
    }
}

TEST_F(Events, OwnPathsNeedASessionAndAnswerErrorsLikeOthers) {
    start();
    EXPECT_EQ(ask("GET", "/hvagent/v1/things").status, 400);
    const Reply reply = call("POST", "/hvagent/v1/things/one", R"({"a":1})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.json(), (json{{"method", "POST"}, {"rest", "one"}, {"body", {{"a", 1}}}}));
    EXPECT_TRUE(holds(call("DELETE", "/hvagent/v1/things/bad").body, "bad by name"));
    EXPECT_EQ(call("GET", "/hvagent/v1/things/one/more/still").status, 404);
}

}  // namespace
}  // namespace hvagent::http
