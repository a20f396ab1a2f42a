// Who may read /metrics.
#include <gtest/gtest.h>

#include "agent/http/metrics_endpoint.h"
#include "agent/identity/identity.h"
#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/error.h"
#include "tests/fakes/movable_clock.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::http {
namespace {

class MetricsAccess : public testing::Test {
protected:
    MetricsAccess() { identity.open(); }
    static Request from(const std::string& address, Headers headers = {}) {
        Request request;
        request.method = "GET";
        request.target = "/metrics";
        request.client_address = address;
        request.headers = std::move(headers);
        return request;
    }
    // 200 or the status of the refusal.
    int status(const Request& request) {
        const auto refusal = refuse_metrics(request, settings, identity);
        return refusal ? refusal->status : 200;
    }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    identity::Identity identity{database, clock, {seconds(60), 10}};
    HttpSettings settings;
};

TEST_F(MetricsAccess, ByDefaultProgramsOfThisHostReadThemAndOthersNeedMore) {
    for (const char* here : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
        EXPECT_EQ(status(from(here)), 200) << here;
    for (const char* there : {"10.0.0.7", "128.0.0.1", "::2", "fe80::1"}) EXPECT_EQ(status(from(there)), 401) << there;
}

TEST_F(MetricsAccess, AProxyOfThisHostAsksForSomebodyElse) {
    for (const char* header : {"x-forwarded-for", "forwarded", "via", "x-real-ip"})
        EXPECT_EQ(status(from("127.0.0.1", {{header, "10.0.0.7"}})), 401) << header;
}

TEST_F(MetricsAccess, NeverAndAlwaysAreWhatTheySay) {
    settings.metrics_public = "never";
    EXPECT_EQ(status(from("127.0.0.1")), 401);
    settings.metrics_public = "always";
    EXPECT_EQ(status(from("10.0.0.7")), 200);
}

TEST_F(MetricsAccess, TheTokenIsEnoughFromAnywhereAndNoOtherIs) {
    settings.metrics_token = "a-token-of-a-good-length";
    const auto with = [](const std::string& value) { return from("10.0.0.7", {{"authorization", value}}); };
    EXPECT_EQ(status(with("Bearer a-token-of-a-good-length")), 200);
    EXPECT_EQ(status(with("bearer a-token-of-a-good-length")), 200);
    EXPECT_EQ(status(with("Bearer a-token-of-a-good-lengtH")), 401);
    EXPECT_EQ(status(with("Bearer a-token-of-a-good-length2")), 401);
    EXPECT_EQ(status(with("Bearer ")), 401);
    EXPECT_EQ(status(from("10.0.0.7")), 401);
    settings.metrics_token = "";
    EXPECT_EQ(status(with("Bearer ")), 401) << "no token is set: an empty one opens nothing";
}

TEST_F(MetricsAccess, AnUnknownSessionIsRefusedAndAnotherMethodToo) {
    settings.metrics_public = "never";
    EXPECT_EQ(status(from("127.0.0.1", {{"authorization", "OAuth 0123456789abcdef0123456789abcdef"}})), 401);
    Request post = from("127.0.0.1");
    post.method = "POST";
    EXPECT_EQ(thrown_error([&] { status(post); }).code(), Code::wrong_method);
}

}  // namespace
}  // namespace hvagent::http
