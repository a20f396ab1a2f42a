#include "tests/unit/jobs/jobs_fixture.h"

namespace hvagent::jobs {
namespace {

class JobWebhook : public JobsTest {
protected:
    JobId submit_with_hook(const std::string& hook, milliseconds delay = milliseconds(0), bool wants_schema = false) {
        Submission one = submission("DoQuick", VmId::make());
        one.webhook = hook;
        one.webhook_delay = delay;
        one.wants_schema = wants_schema;
        return engine->submit(one);
    }
    void wait_until_settled() {
        const Moment end = soon();
        while (engine->load().pending_webhooks > 0 && std::chrono::steady_clock::now() < end) {
            engine->check_times();  // a timer sleeps by the real clock, whatever the test's clock says
            std::this_thread::sleep_for(milliseconds(1));
        }
        EXPECT_EQ(engine->load().pending_webhooks, 0u);
        EXPECT_EQ(count_rows("SELECT COUNT(*) FROM jobs WHERE webhook_pending = 1"), 0);
    }
    static HttpReply refuse_connection(const Receivers::Post&) { throw Error(Code::http_failed, "connection refused"); }
    const std::string url = "http://client:8080/hook?x=1";
};

TEST_F(JobWebhook, CarriesWhatAPollAnswers) {
    start();
    const JobId id = submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(1));
    const auto post = receivers.posts()[0];
    EXPECT_EQ(post.url, url);
    EXPECT_EQ(post.headers.at("X-Job-UUID"), id.str());
    EXPECT_EQ(post.headers.at("X-Job-Success"), "true");
    EXPECT_EQ(post.headers.at("Content-Type"), "application/json");
    EXPECT_EQ(json::parse(post.body), engine->find(id)->body());
    wait_until_settled();
}

TEST_F(JobWebhook, AFailureIsSaidInHeaderAndBody) {
    handle = [](Job&, const Work&) -> json { throw Error(Code::io_failed, "no \"disk\""); };
    start();
    const JobId id = submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(1));
    EXPECT_EQ(receivers.posts()[0].headers.at("X-Job-Success"), "false");
    EXPECT_EQ(json::parse(receivers.posts()[0].body), engine->find(id)->body());
}

TEST_F(JobWebhook, IsSentAfterThePollAnswersTheResult) {
    std::atomic<bool> was_finished{false};
    receivers.answer(url, [&](const Receivers::Post& post) {
        was_finished = engine->find(JobId(post.headers.at("X-Job-UUID")))->is_finished();
        return HttpReply{200, ""};
    });
    start();
    for (int i = 0; i < 50; ++i) {
        was_finished = false;
        submit_with_hook(url);
        ASSERT_TRUE(receivers.wait_for_posts(static_cast<std::size_t>(i) + 1));
        wait_until_settled();
        ASSERT_TRUE(was_finished);
    }
}

TEST_F(JobWebhook, IsDecoratedLikeAPoll) {
    decorate = [](const api::Row& row, json result, bool wants_schema) {
        if (wants_schema) result["schema"] = row.name;
        return result;
    };
    start();
    submit_with_hook(url, milliseconds(0), true);
    ASSERT_TRUE(receivers.wait_for_posts(1));
    EXPECT_EQ(json::parse(receivers.posts()[0].body), (json{{"done", true}, {"schema", "DoQuick"}}));
    submit_with_hook(url, milliseconds(0), false);
    ASSERT_TRUE(receivers.wait_for_posts(2));
    EXPECT_EQ(json::parse(receivers.posts()[1].body), (json{{"done", true}}));
}

TEST_F(JobWebhook, WaitsForClientsThatAreNotListeningYet) {
    start();
    const Moment before = std::chrono::steady_clock::now();
    submit_with_hook(url, milliseconds(100));
    ASSERT_TRUE(receivers.wait_for_posts(1));
    EXPECT_GE(receivers.posts()[0].when - before, milliseconds(100));
}

TEST_F(JobWebhook, IsTriedUntilItIsTaken) {
    std::atomic<int> tries{0};
    receivers.answer(url, [&](const Receivers::Post& post) {
        const int nth = ++tries;
        if (nth <= 10) return refuse_connection(post);
        return HttpReply{nth <= 20 ? 500 : 202, ""};
    });
    start();
    submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(21));
    wait_until_settled();
    EXPECT_EQ(tries, 21);
    const auto posts = receivers.posts();
    for (std::size_t i = 1; i < posts.size(); ++i) EXPECT_GE(posts[i].when - posts[i - 1].when, milliseconds(19)) << i;
}

TEST_F(JobWebhook, AReceiverThatDoesNotKnowTheJobIsAskedThreeTimes) {
    receivers.answer(url, [](const Receivers::Post&) { return HttpReply{404, ""}; });
    start();
    submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(3));
    wait_until_settled();
    EXPECT_EQ(receivers.posts().size(), 3u);
}

TEST_F(JobWebhook, IsGivenUpWhenItExpires) {
    receivers.answer(url, refuse_connection);
    start();
    submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(2));
    clock.move(std::chrono::hours(49));
    engine->check_times();
    wait_until_settled();
}

TEST_F(JobWebhook, IsSentByTheNextLifeWhenThisOneCouldNot) {
    receivers.answer(url, refuse_connection);
    settings.webhook_retry = std::chrono::hours(1);
    start();
    const JobId id = submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(1));
    engine->stop();
    receivers.answer(url, nullptr);
    start();
    ASSERT_TRUE(receivers.wait_for_posts(2));
    EXPECT_EQ(receivers.posts()[1].headers.at("X-Job-UUID"), id.str());
    wait_until_settled();
    start();
    submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(3));
    EXPECT_NE(receivers.posts()[2].headers.at("X-Job-UUID"), id.str()) << "sent again although it was taken";
}

TEST_F(JobWebhook, ASlowReceiverDelaysNoOther) {
    receivers.answer("http://slow/hook", [&](const Receivers::Post&) {
        gate.pass();
        return HttpReply{200, ""};
    });
    start();
    for (int i = 0; i < 50; ++i) submit_with_hook("http://slow/hook");
    ASSERT_TRUE(gate.wait_for(static_cast<int>(settings.webhooks_per_host)));
    submit_with_hook("http://quick/hook");
    EXPECT_TRUE(receivers.wait_for_posts(1, "http://quick/hook"));
    EXPECT_EQ(gate.here(), static_cast<int>(settings.webhooks_per_host));
    EXPECT_LE(engine->load().webhook_threads, settings.webhooks_per_host + 1);
    gate.open();
    wait_until_settled();
    EXPECT_EQ(receivers.posts("http://slow/hook").size(), 50u);
}

TEST_F(JobWebhook, AHostThatRefusesConnectionsIsAskedByOneDeliveryAtATime) {
    settings.webhook_retry = milliseconds(50);
    receivers.answer(url, refuse_connection);
    start();
    for (int i = 0; i < 100; ++i) submit_with_hook(url);
    ASSERT_TRUE(receivers.wait_for_posts(10));
    const auto posts = receivers.posts();
    for (std::size_t i = settings.webhooks_per_host; i < posts.size(); ++i)
        EXPECT_GE(posts[i].when - posts[i - 1].when, milliseconds(45)) << i;
    receivers.answer(url, nullptr);
    wait_until_settled();
}

TEST_F(JobWebhook, MoreThanFitInMemoryAreAllSent) {
    settings.max_webhooks_in_memory = 10;
    receivers.answer(url, [&](const Receivers::Post&) {
        gate.pass();
        return HttpReply{200, ""};
    });
    start();
    std::vector<JobId> jobs;
    for (int i = 0; i < 60; ++i) jobs.push_back(submit_with_hook(url));
    for (const JobId& job : jobs) result_of(job);
    EXPECT_LE(engine->load().pending_webhooks, 10u);
    gate.open();
    ASSERT_TRUE(receivers.wait_for_posts(60));
    wait_until_settled();
    EXPECT_EQ(receivers.posts().size(), 60u);
}

TEST_F(JobWebhook, TheFirstTryFollowsTheEndWithoutDelay) {
    handle = [](Job&, const Work&) { return json{{"ended", std::chrono::steady_clock::now().time_since_epoch().count()}}; };
    settings.thread_idle = seconds(10);
    start();
    std::vector<double> delays;
    for (std::size_t i = 0; i < 100; ++i) {
        const JobId id = submit_with_hook(url);
        ASSERT_TRUE(receivers.wait_for_posts(i + 1));
        const Moment ended{Moment::duration(engine->find(id)->result.at("ended").get<std::int64_t>())};
        delays.push_back(std::chrono::duration<double, std::milli>(receivers.posts().back().when - ended).count());
    }
    std::sort(delays.begin(), delays.end());
    RecordProperty("p50_us_from_handler_end_to_post", static_cast<int>(delays[50] * 1000));
    std::printf("handler's end to post: p50 %.3f ms, p90 %.3f ms\n", delays[50], delays[90]);
    EXPECT_LT(delays[50], 20.0);
}

}  // namespace
}  // namespace hvagent::jobs
