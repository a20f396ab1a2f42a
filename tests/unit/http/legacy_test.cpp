// The endpoint of the Python binding and zstack-cli.
#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

class LegacyTest : public HttpServerTest {
public:
    void SetUp() override { start(); }

    // The answer to one message: the whole one, and what its `result` text holds under its one key.
    struct Answer {
        json whole;
        std::string name;
        json content;
    };
    static Answer read(const Reply& reply) {
        EXPECT_EQ(reply.status, 200) << reply.body;
        Answer answer{reply.json(), "", nullptr};
        if (!answer.whole.contains("result")) return answer;
        const json result = json::parse(answer.whole["result"].get<std::string>());
        EXPECT_EQ(result.size(), 1u);
        answer.name = result.begin().key();
        answer.content = *result.begin();
        return answer;
    }
    Answer send(const std::string& message, json fields, const std::string& method = "POST",
                const std::string& path = "/zstack/api/") {
        return read(ask(method, path, json{{message, std::move(fields)}}.dump()));
    }
    Answer send_as_admin(const std::string& message, json fields) {
        if (session.empty()) session = log_in();
        fields["session"] = {{"uuid", session}};
        return send(message, std::move(fields));
    }
    Answer result_of_message(const Answer& accepted) {
        EXPECT_EQ(accepted.whole["state"], "Processing") << accepted.whole;
        const std::string uuid = accepted.whole["uuid"];
        jobs.wait(JobId(uuid), std::chrono::steady_clock::now() + seconds(10));
        return read(ask("GET", "/zstack/api/result/" + uuid));
    }
};

TEST_F(LegacyTest, LogsInAtOnceAndWithoutAUuid) {
    const json fields = {{"accountName", "admin"},
                         {"password", identity::sha512_hex("password")},
                         {"timeout", 15000},
                         {"session", json::object()}};
    for (const char* method : {"POST", "PUT"})
        for (const char* path : {"/zstack/api/", "/zstack/api"}) {
            const Answer answer = send("org.zstack.header.identity.APILogInByAccountMsg", fields, method, path);
            EXPECT_EQ(answer.whole["state"], "Done");
            EXPECT_FALSE(answer.whole.contains("uuid"));
            EXPECT_EQ(answer.name, "org.zstack.header.identity.APILogInReply");
            EXPECT_EQ(answer.content["success"], true);
            EXPECT_EQ(answer.content["inventory"]["accountUuid"], identity::admin_uuid);
        }
}

TEST_F(LegacyTest, AJobIsProcessingAndThenDone) {
    const Answer accepted =
        send_as_admin("org.zstack.header.vm.APIStopVmInstanceMsg", {{"uuid", some_uuid}, {"timeout", 120000}});
    EXPECT_FALSE(accepted.whole.contains("result"));
    const Answer done = result_of_message(accepted);
    EXPECT_EQ(done.whole["state"], "Done");
    EXPECT_TRUE(done.name.ends_with(".APIStopVmInstanceEvent")) << done.name;
    EXPECT_EQ(done.content, (json{{"inventory", {{"uuid", some_uuid}, {"state", "Stopped"}}}, {"success", true}}));
}

TEST_F(LegacyTest, AFailureIsDoneWithoutSuccess) {
    const Answer done = result_of_message(
        send_as_admin("org.zstack.header.vm.APIStopVmInstanceMsg", {{"uuid", some_uuid}, {"type", "cold"}}));
    EXPECT_EQ(done.whole["state"], "Done");
    EXPECT_EQ(done.content["success"], false);
    EXPECT_EQ(done.content["error"]["code"], "VM.1002");
}

TEST_F(LegacyTest, ScalarsMayBeTexts) {
    const Answer done = result_of_message(
        send_as_admin("a.b.APICreateZoneMsg", {{"name", "z"}, {"count", "2"}, {"description", "ignored"}}));
    EXPECT_EQ(done.content["success"], true) << done.content;
    EXPECT_EQ(done.content["inventory"]["name"], "z");
}

TEST_F(LegacyTest, ConditionsBecomeTheQueryLanguage) {
    const json conditions = {
        {{"name", "name"}, {"op", "="}, {"value", "vm1"}},     {{"name", "uuid"}, {"op", "in"}, {"value", "a,b"}},
        {{"name", "n"}, {"op", "not like"}, {"value", "%x%"}}, {{"name", "h"}, {"op", "is null"}},
        {{"name", "h"}, {"op", "is not null"}, {"value", ""}}, {{"name", "h"}, {"op", "not null"}}};
    const Answer answer = send_as_admin("org.zstack.header.zone.APIQueryZoneMsg", {{"conditions", conditions},
                                                                                   {"limit", "5"},
                                                                                   {"replyWithCount", "true"},
                                                                                   {"sortBy", "name"},
                                                                                   {"sortDirection", "desc"}});
    EXPECT_EQ(answer.name, "org.zstack.header.zone.APIQueryZoneReply");
    EXPECT_EQ(answer.content["inventories"][0]["name"],
              R"(["name=vm1","uuid?=a,b","n!~=%x%","h is null","h not null","h not null"]-name5)");
    EXPECT_EQ(answer.content["total"], 1);
    EXPECT_FALSE(answer.content.contains("schema"));
    EXPECT_EQ(send_as_admin("APIQueryZoneMsg", {{"conditions", json::array()}}).content["success"], true);
    EXPECT_EQ(send_as_admin("APIQueryZoneMsg", {{"conditions", {{{"name", "n"}, {"op", "sounds like"}, {"value", 1}}}}})
                  .content["success"],
              false);
}

TEST_F(LegacyTest, AnExpiredSessionSaysSoInTheWordsTheCommandLineLooksFor) {
    const Answer query = send("org.zstack.header.zone.APIQueryZoneMsg", {{"session", {{"uuid", "gone"}}}});
    EXPECT_EQ(query.whole["state"], "Done");
    EXPECT_EQ(query.content["success"], false);
    EXPECT_EQ(query.content["error"]["code"], "ID.1001");
    EXPECT_NE(query.content["error"]["details"].get<std::string>().find("Session expired"), std::string::npos);
    const Answer job = result_of_message(send("a.APIStopVmInstanceMsg", {{"uuid", some_uuid}}));
    EXPECT_EQ(job.content["error"]["code"], "ID.1001");
    EXPECT_EQ(stops, 0);
}

TEST_F(LegacyTest, MessagesThatNobodyUnderstandsAreAnsweredAsFailures) {
    EXPECT_EQ(send_as_admin("org.zstack.APIFlyToTheMoonMsg", {{"a", 1}}).content["error"]["code"], "SYS.1014");
    for (const char* body : {"", "{}", "[]", "{\"APIQueryZoneMsg\":5}", "{\"nonsense\":{}}", "not json"}) {
        const Answer answer = read(ask("POST", "/zstack/api/", body));
        EXPECT_EQ(answer.whole["state"], "Done") << body;
        EXPECT_EQ(answer.content["success"], false) << body;
    }
    EXPECT_EQ(ask("GET", "/zstack/api/result/" + some_uuid).status, 404);
    EXPECT_EQ(ask("GET", "/zstack/api/").status, 405);
}

TEST_F(LegacyTest, NoNullLeavesTheEndpoint) {
    const Answer answer = send_as_admin("APIQueryLongJobMsg", {{"conditions", json::array()}});
    EXPECT_EQ(answer.whole["result"].get<std::string>().find("null"), std::string::npos);
}

}  // namespace
}  // namespace hvagent::http
