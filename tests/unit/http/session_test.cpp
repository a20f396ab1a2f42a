// Who may call: sessions, access keys, and what those get who may not.
#include <ctime>

#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

std::string login_body(const std::string& key, const std::string& password) {
    return "{\"" + key + R"(":{"accountName":"admin","password":")" + identity::sha512_hex(password) + "\"}}";
}

std::string date_now(const char* zone) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S ", &utc);
    return text + std::string(zone);
}

TEST_F(HttpServerTest, LoginAcceptsTheSpellingsOfAllClients) {
    start();
    for (const char* key : {"logInByAccount", "loginByAccount", "params", "LOGINBYACCOUNT"}) {
        EXPECT_EQ(ask("PUT", "/zstack/v1/accounts/login", login_body(key, "password")).status, 200) << key;
        EXPECT_EQ(ask("POST", "/v1/accounts/login", login_body(key, "password")).status, 200) << key;
    }
    const json inventory = ask("PUT", "/v1/accounts/login", login_body("logInByAccount", "password")).json()["inventory"];
    EXPECT_EQ(inventory["accountUuid"], identity::admin_uuid);
    EXPECT_EQ(inventory["userUuid"], identity::admin_uuid);
    EXPECT_EQ(inventory["uuid"].get<std::string>().size(), 32u);
}

TEST_F(HttpServerTest, AWrongPasswordIs503AndIsSlowedDown) {
    start();
    for (int i = 0; i < 5; ++i) {
        const Reply wrong = ask("PUT", "/v1/accounts/login", login_body("logInByAccount", "guess"));
        EXPECT_EQ(wrong.status, 503);
        EXPECT_EQ(wrong.json()["error"]["code"], "ID.1000") << i;
    }
    const Reply refused = ask("PUT", "/v1/accounts/login", login_body("logInByAccount", "password"));
    EXPECT_EQ(refused.json()["error"]["code"], "LOGIN_CONTROL.1004");
    EXPECT_NE(refused.json()["error"]["details"].get<std::string>().find("try again in 1 s"), std::string::npos)
        << refused.body;
    clock.move(seconds(2));
    EXPECT_EQ(ask("PUT", "/v1/accounts/login", login_body("logInByAccount", "password")).status, 200);
    EXPECT_EQ(ask("PUT", "/v1/accounts/login", login_body("logInByAccount", "guess")).json()["error"]["code"], "ID.1000");
}

TEST_F(HttpServerTest, ThereAreNoUsersToLogInAs) {
    start();
    const Reply reply =
        ask("PUT", "/v1/accounts/users/login", R"({"logInByUser":{"accountName":"admin","userName":"u","password":"x"}})");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.json()["error"]["code"], "ID.1000");
}

TEST_F(HttpServerTest, TheHeaderMayBeWrittenAsInTheManual) {
    start();
    session = log_in();
    for (const std::string& form :
         {"OAuth " + session, "OAuth: " + session, "OAuth  " + session + " ", "oauth " + session, "OAuth :" + session})
        EXPECT_EQ(ask("GET", "/v1/zones", "", "Authorization: " + form + "\r\n").status, 200) << form;
}

TEST_F(HttpServerTest, WithoutAHeaderItIs400) {
    start();
    const Reply missing = ask("GET", "/v1/zones");
    EXPECT_EQ(missing.status, 400);
    EXPECT_EQ(missing.json()["error"]["details"], "missing header 'Authorization'");
    EXPECT_EQ(ask("POST", "/v1/zones", R"({"params":{"name":"z"}})").status, 400);
    EXPECT_EQ(ask("GET", "/v1/zones", "", "Authorization: Basic YTpi\r\n").status, 400);
    EXPECT_EQ(ask("PUT", "/v1/management-nodes/actions", R"({"getVersion":{}})").status, 200) << "needs none";
}

TEST_F(HttpServerTest, AnExpiredSessionFailsACallAtOnceAndAJobLater) {
    start();
    session = log_in();
    clock.move(std::chrono::hours(2));
    const Reply query = call("GET", "/v1/zones");
    EXPECT_EQ(query.status, 503);
    EXPECT_EQ(query.json()["error"]["code"], "ID.1001");
    EXPECT_NE(query.json()["error"]["details"].get<std::string>().find("Session expired"), std::string::npos);
    const Reply accepted = call("POST", "/v1/zones", R"({"params":{"name":"z"}})",
                                "X-Web-Hook: http://me/\r\nX-Job-UUID: " + other_uuid + "\r\n");
    EXPECT_EQ(accepted.status, 202);
    const Reply result = ask("GET", "/v1/api-jobs/" + other_uuid);
    EXPECT_EQ(result.status, 503);
    EXPECT_EQ(result.json()["error"]["code"], "ID.1001");
    EXPECT_FALSE(jobs.find(JobId(other_uuid))) << "strangers must not fill the database";
    EXPECT_TRUE(webhooks.posts().empty());
}

TEST_F(HttpServerTest, AfterLoggingInAgainTheSameJobUuidCanBeUsed) {
    start();
    session = std::string(32, '0');
    const std::string header = "X-Job-UUID: " + other_uuid + "\r\n";
    EXPECT_EQ(call("POST", "/v1/zones", R"({"params":{"name":"z"}})", header).status, 202);
    EXPECT_EQ(ask("GET", "/v1/api-jobs/" + other_uuid).status, 503);
    session = log_in();
    EXPECT_EQ(result_of(call("POST", "/v1/zones", R"({"params":{"name":"z"}})", header)).status, 200);
}

TEST_F(HttpServerTest, RefusedJobsAreForgotten) {
    start();
    session = std::string(32, '0');
    const auto submit = [this] {
        return call("POST", "/v1/zones", R"({"params":{"name":"z"}})").json()["location"].get<std::string>();
    };
    const std::string first = submit();
    EXPECT_EQ(ask("GET", first.substr(first.find("/zstack"))).status, 503);
    clock.move(std::chrono::minutes(11));
    EXPECT_EQ(ask("GET", first.substr(first.find("/zstack"))).status, 404);
}

TEST_F(HttpServerTest, ASessionIsValidatedRenewedAndClosed) {
    start();
    session = log_in();
    const std::string path = "/zstack/v1/accounts/sessions/" + session;
    EXPECT_EQ(ask("GET", path + "/valid").json(), (json{{"valid", true}}));
    EXPECT_EQ(call("PUT", path + "/renew", R"({"renewSession":{"duration":86400}})").status, 200);
    clock.move(std::chrono::hours(3));
    EXPECT_EQ(ask("GET", path + "/valid").json(), (json{{"valid", true}}));
    EXPECT_EQ(call("PUT", path + "/renew", R"({"renewSession":{"duration":5}})").json()["error"]["code"], "SYS.1007");
    const Reply out = ask("DELETE", path + "?deleteMode=");
    EXPECT_EQ(out.status, 200);
    EXPECT_EQ(out.body, "{}");
    EXPECT_EQ(ask("GET", path + "/valid").json(), (json{{"valid", false}}));
    EXPECT_EQ(call("GET", "/v1/zones").json()["error"]["code"], "ID.1001");
}

class AccessKeyTest : public HttpServerTest {
public:
    void SetUp() override {
        start();
        const Reply created = result_of(call("POST", "/v1/accesskeys",
                                             R"({"params":{"accountUuid":"36c27e8ff05c4780bf6d2fa65700f22e",)"
                                             R"("userUuid":"36c27e8ff05c4780bf6d2fa65700f22e"}})"));
        ASSERT_EQ(created.status, 200) << created.body;
        key = created.json()["inventory"];
    }
    std::string signed_header(const std::string& method, const std::string& path, const std::string& date) const {
        const std::string signature =
            identity::hmac_sha1_base64(key["AccessKeySecret"].get<std::string>(), method + "\n" + date + "\n" + path);
        return "Authorization: ZStack " + key["AccessKeyID"].get<std::string>() + ":" + signature + "\r\nDate: " + date +
               "\r\n";
    }
    json key;
};

TEST_F(AccessKeyTest, ASignedRequestNeedsNoSession) {
    for (const char* zone : {"GMT", "Z", "CST", "Asia/Shanghai", "+0800"})
        EXPECT_EQ(ask("GET", "/zstack/v1/zones?q=name=x", "", signed_header("GET", "/v1/zones", date_now(zone))).status, 200)
            << zone;
    EXPECT_EQ(ask("GET", "/zstack/v1/zones", "", signed_header("GET", "/zones", date_now("GMT"))).status, 200);
    EXPECT_EQ(ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", date_now("GMT"))).status, 200);
    const Reply job = ask("PUT", "/zstack/v1/vm-instances/" + some_uuid + "/actions", R"({"stopVmInstance":{}})",
                          signed_header("PUT", "/v1/vm-instances/" + some_uuid + "/actions", date_now("GMT")));
    EXPECT_EQ(result_of(job).status, 200);
}

TEST_F(AccessKeyTest, AWrongSignatureIsRefusedInTheWordsClientsLookFor) {
    const Reply wrong = ask("GET", "/v1/zones", "", signed_header("GET", "/v1/other", date_now("GMT")));
    EXPECT_EQ(wrong.status, 503);
    EXPECT_NE(wrong.json()["error"]["details"].get<std::string>().find("wrong accessKey signature"), std::string::npos);
    key["AccessKeyID"] = "somebodyelse";
    const Reply unknown = ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", date_now("GMT")));
    EXPECT_NE(unknown.json()["error"]["details"].get<std::string>().find("access key id"), std::string::npos);
    EXPECT_EQ(ask("GET", "/v1/zones", "", "Authorization: ZStack a:b:c\r\nDate: " + date_now("GMT") + "\r\n").status, 400);
    EXPECT_EQ(ask("GET", "/v1/zones", "", "Authorization: ZStack a:b\r\n").status, 400);
    EXPECT_EQ(ask("GET", "/v1/zones", "", "Authorization: ZStack a:b\r\nDate: yesterday\r\n").status, 400);
}

TEST_F(AccessKeyTest, AnOldDateIsSkewed) {
    const Reply skewed = ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", "Tue, 03 Jun 2025 10:11:12 GMT"));
    EXPECT_EQ(skewed.status, 403);
    EXPECT_NE(skewed.body.find("requestTimeTooSkewed"), std::string::npos);
}

TEST_F(AccessKeyTest, ADisabledOrDeletedKeySignsNothing) {
    const std::string path = "/v1/accesskeys/" + key["uuid"].get<std::string>();
    EXPECT_EQ(result_of(call("PUT", path + "/actions", R"({"changeAccessKeyState":{"stateEvent":"disable"}})"))
                  .json()["inventory"]["state"],
              "Disabled");
    EXPECT_EQ(ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", date_now("GMT"))).status, 503);
    EXPECT_EQ(result_of(call("PUT", path + "/actions", R"({"changeAccessKeyState":{"stateEvent":"enable"}})")).status, 200);
    EXPECT_EQ(ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", date_now("GMT"))).status, 200);
    const json listed = call("GET", "/v1/accesskeys").json();
    EXPECT_EQ(listed["inventories"].size(), 1u);
    EXPECT_FALSE(listed["inventories"][0].contains("AccessKeySecret"));
    EXPECT_EQ(result_of(call("DELETE", path)).status, 200);
    EXPECT_EQ(ask("GET", "/v1/zones", "", signed_header("GET", "/v1/zones", date_now("GMT"))).status, 503);
}

}  // namespace
}  // namespace hvagent::http
