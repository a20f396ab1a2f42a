#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <set>

#include "drivers/http_client/curl_client.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http_client/loopback_server.h"

namespace hvagent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PostWebhook : public testing::Test {
protected:
    HttpReply post(const std::string& path, milliseconds timeout = seconds(5)) {
        return client_.post(server_.url(path), {{"X-Job-UUID", "1"}}, "{}", timeout);
    }

    LoopbackServer server_;
    CurlClient client_{HttpSettings{}};
};

TEST_F(PostWebhook, BringsHeadersAndBody) {
    const auto arrived = std::make_shared<std::promise<httplib::Request>>();  // the server may outlive this test's body
    server_.routes().Post("/hook",
                          [arrived](const httplib::Request& request, httplib::Response&) { arrived->set_value(request); });
    server_.start();
    const HttpReply reply = client_.post(
        server_.url("/hook?a=b"), {{"X-Job-UUID", "u1"}, {"X-Job-Success", "true"}, {"Content-Type", "application/json"}},
        R"({"inventory":{}})", seconds(5));
    EXPECT_EQ(reply.status, 200);
    const httplib::Request request = arrived->get_future().get();
    EXPECT_EQ(request.body, R"({"inventory":{}})");
    EXPECT_EQ(request.get_header_value("X-Job-UUID"), "u1");
    EXPECT_EQ(request.get_header_value("X-Job-Success"), "true");
    EXPECT_EQ(request.get_header_value("Content-Type"), "application/json");
    EXPECT_FALSE(request.has_header("Expect"));
    EXPECT_EQ(request.get_param_value("a"), "b");
}

TEST_F(PostWebhook, KnowsWhatTimeTheServerTakesItFor) {
    std::string date;
    server_.routes().Post("/hook", [&](const httplib::Request&, httplib::Response& answer) {
        if (!date.empty()) answer.set_header("Date", date);
    });
    server_.start();
    EXPECT_FALSE(post("/hook").date);
    date = "Tue, 14 Nov 2017 14:20:57 GMT";
    EXPECT_EQ(post("/hook").date, from_unix_ms(1510669257000));
    date = "the day before yesterday";
    EXPECT_FALSE(post("/hook").date);
}

TEST_F(PostWebhook, UsesAConnectionAgain) {
    std::mutex mutex;
    std::set<int> ports;
    server_.routes().Post("/hook", [&](const httplib::Request& request, httplib::Response&) {
        const std::lock_guard lock(mutex);
        ports.insert(request.remote_port);
    });
    // More than the server lets through one connection would make it close it.
    server_.routes().set_keep_alive_max_count(1000);
    server_.start();
    for (int i = 0; i < 50; ++i) post("/hook");
    EXPECT_EQ(ports.size(), 1U);
}

TEST_F(PostWebhook, CostsLittleMoreThanARoundTrip) {
    server_.routes().Post("/hook", [](const httplib::Request&, httplib::Response&) {});
    server_.routes().set_keep_alive_max_count(1000);
    server_.start();
    std::vector<double> took_ms;
    for (int i = 0; i < 200; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        post("/hook");
        took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(took_ms.begin(), took_ms.end());
    RecordProperty("p50_us", static_cast<int>(took_ms[100] * 1000));
    // 40 ms would be Nagle's algorithm against delayed acknowledgements, or a wait for "100 Continue".
    EXPECT_LT(took_ms[100], 10) << "sanitizers and a busy machine make it slow, but not that slow";
}

TEST_F(PostWebhook, ConnectsAgainWhenTheReceiverClosedTheConnection) {
    server_.routes().Post("/hook", [](const httplib::Request&, httplib::Response&) {});
    server_.routes().set_keep_alive_max_count(1);
    server_.start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(post("/hook").status, 200);
}

TEST_F(PostWebhook, DoesNotFollowRedirects) {
    std::atomic<bool> followed = false;
    server_.routes().Post("/hook",
                          [](const httplib::Request&, httplib::Response& reply) { reply.set_redirect("/other", 307); });
    server_.routes().Post("/other", [&](const httplib::Request&, httplib::Response&) { followed = true; });
    server_.start();
    EXPECT_EQ(post("/hook").status, 307);
    EXPECT_FALSE(followed);
}

TEST_F(PostWebhook, KeepsAsMuchOfAnAnswerAsIsAskedFor) {
    const std::string content(200'000, 'x');
    server_.routes().Post(
        "/hook", [content](const httplib::Request&, httplib::Response& reply) { reply.set_content(content, "text/plain"); });
    server_.start();
    HttpRequest request;
    request.url = server_.url("/hook");
    request.longest_reply = MiB;
    const HttpReply whole = client_.send(request);
    EXPECT_EQ(whole.body.size(), content.size());
    EXPECT_FALSE(whole.is_cut);
    request.longest_reply = 199'999;
    const HttpReply cut = client_.send(request);
    EXPECT_EQ(cut.body.size(), 199'999U);
    EXPECT_TRUE(cut.is_cut);
}

TEST_F(PostWebhook, ADeleteIsADelete) {
    server_.routes().Delete("/session", [](const httplib::Request&, httplib::Response& reply) { reply.status = 200; });
    server_.routes().Post("/hook", [](const httplib::Request&, httplib::Response& reply) { reply.status = 201; });
    server_.start();
    HttpRequest request;
    request.method = "DELETE";
    request.url = server_.url("/session");
    EXPECT_EQ(client_.send(request).status, 200);
    EXPECT_EQ(post("/hook").status, 201);  // over the same connection
}

TEST_F(PostWebhook, KeepsTheFirst64KiBOfAnAnswer) {
    server_.routes().Post("/hook", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(std::string(1'000'000, 'b'), "text/plain");
    });
    server_.start();
    EXPECT_EQ(post("/hook").body, std::string(65536, 'b'));
}

TEST_F(PostWebhook, GivesUpAfterItsTime) {
    std::promise<void> leave;
    auto left = leave.get_future().share();
    server_.routes().Post("/hook", [left](const httplib::Request&, httplib::Response&) { left.wait(); });
    server_.start();
    const auto begin = std::chrono::steady_clock::now();
    const Error error = thrown_error([&] { post("/hook", milliseconds(100)); });
    leave.set_value();
    EXPECT_EQ(error.code(), Code::http_failed);
    EXPECT_THAT(error.details(), HasSubstr("timed out"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(PostWebhook, NamesTheReceiverWithoutItsSecrets) {
    const Error error =
        thrown_error([&] { client_.post("http://admin:hush@127.0.0.1:1/hook?token=hush", {}, "{}", seconds(5)); });
    EXPECT_EQ(error.code(), Code::http_failed);
    EXPECT_THAT(error.details(), AllOf(HasSubstr("http://127.0.0.1:1/hook"), Not(HasSubstr("hush"))));
    EXPECT_THAT(thrown_error([&] { client_.post("http://admin:hush@ho st/", {}, "{}", seconds(5)); }).details(),
                Not(HasSubstr("hush")));
}

TEST_F(PostWebhook, RefusesOtherProtocolsThanHttp) {
    for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "smtp://127.0.0.1/", "", "nonsense", "://"}) {
        EXPECT_EQ(thrown_error([&] { client_.post(url, {}, "{}", seconds(5)); }).code(), Code::http_failed) << url;
    }
}

TEST_F(PostWebhook, LetsNoValueBecomeAnotherHeader) {
    EXPECT_EQ(thrown_error([&] {
                  client_.post("http://127.0.0.1:1/", {{"X-Job-UUID", "1\r\nX-Evil: 1"}}, "{}", seconds(5));
              }).code(),
              Code::invalid_argument);
}

TEST_F(PostWebhook, ServesManyThreads) {
    std::atomic<int> arrived = 0;
    server_.routes().Post("/hook", [&](const httplib::Request&, httplib::Response&) { ++arrived; });
    server_.start();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 20; ++i) EXPECT_EQ(post("/hook").status, 200);
            });
        }
    }
    EXPECT_EQ(arrived, 160);
}

}  // namespace
}  // namespace hvagent
