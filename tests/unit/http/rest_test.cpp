// The contract over a real connection: routes, arguments, jobs, errors.
#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

std::string vm_actions() {
    return "/zstack/v1/vm-instances/" + some_uuid + "/actions";
}

TEST_F(HttpServerTest, AJobIsAcceptedPolledAndAnswered) {
    start();
    const Reply accepted = call("PUT", vm_actions(), R"({"stopVmInstance":{"type":"grace"}})");
    ASSERT_EQ(accepted.status, 202) << accepted.body;
    const std::string location = accepted.json()["location"];
    EXPECT_EQ(location.substr(0, location.size() - 32), "http://agent:8080/zstack/v1/api-jobs/");
    const Reply result = result_of(accepted);
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.json(), (json{{"inventory", {{"uuid", some_uuid}, {"state", "Stopped"}}}}));
}

TEST_F(HttpServerTest, AFailedJobPollsAs503WithTheErrorAlone) {
    start();
    const Reply result =
        result_of(call("PUT", vm_actions(), R"({"stopVmInstance":{"type":"cold"}})", "X-JSON-Schema: true\r\n"));
    EXPECT_EQ(result.status, 503);
    ASSERT_EQ(result.json().size(), 1u) << result.body;
    EXPECT_EQ(result.json()["error"]["code"], "VM.1002");
    EXPECT_EQ(result.json()["error"]["cause"]["code"], "SYS.1001");
}

TEST_F(HttpServerTest, ARunningJobPollsAs202AndCanBeCancelled) {
    start();
    const Reply accepted = call("POST", "/v1/gate", R"({"params":{}})");
    ASSERT_TRUE(gate.wait_for(1));
    const std::string location = accepted.json()["location"];
    const std::string path = location.substr(location.find("/zstack"));
    const Reply running = ask("GET", path);
    EXPECT_EQ(running.status, 202);
    EXPECT_EQ(running.json()["location"], location);
    EXPECT_EQ(running.json()["progress"], 40);
    EXPECT_EQ(ask("DELETE", path).status, 400) << "cancelling needs a session";
    EXPECT_EQ(ask("PUT", path).status, 405);
    EXPECT_EQ(call("DELETE", path).status, 200);
    gate.open();
}

TEST_F(HttpServerTest, AnUnknownJobIs404) {
    start();
    const Reply reply = ask("GET", "/zstack/v1/api-jobs/" + some_uuid);
    EXPECT_EQ(reply.status, 404);
    EXPECT_NE(reply.body.find(some_uuid), std::string::npos);
}

TEST_F(HttpServerTest, PathsForgivePrefixCaseAndSlashes) {
    start();
    for (const char* path :
         {"/zstack/v1/things/x/echo", "/v1/things/x/ECHO", "/zstack/v1//things/x/Echo/", "/ZStack/V1/THINGS/x/echo?"})
        EXPECT_EQ(call("GET", path).status, 200) << path;
    EXPECT_EQ(call("GET", "/v1/things/a%2Fb%20c/echo").json()["uuid"], "a/b c");
    EXPECT_EQ(call("PUT", "/zstack/v1/things//x/alone/actions", "{}").status, 202);
}

TEST_F(HttpServerTest, PostAndPutStandForEachOtherBesideAGetOnlyAtAnOtherPathOfTheirOperation) {
    start();
    gate.open();
    EXPECT_EQ(call("PUT", "/v1/gate").status, 405);
    EXPECT_EQ(call("POST", "/v1/gate").status, 202);
    EXPECT_EQ(call("PUT", "/v1/doors").status, 202);
    EXPECT_EQ(call("POST", "/v1/doors").status, 202);
    EXPECT_EQ(call("GET", "/v1/doors").status, 200);
    EXPECT_EQ(call("DELETE", "/v1/gate").status, 405);
}

TEST_F(HttpServerTest, UnknownPathsAndVerbsAreNamed) {
    start();
    const Reply unknown = ask("GET", "/zstack/v1/nothing/here");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(unknown.json()["error"]["details"].get<std::string>().find("/nothing/here"), std::string::npos);
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("GET", "/zstack").status, 404);
    const Reply wrong = ask("PATCH", "/zstack/v1/zones");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_NE(wrong.json()["error"]["details"].get<std::string>().find("POST, GET"), std::string::npos) << wrong.body;
}

TEST_F(HttpServerTest, ActionsAreFoundByTheKeyOfTheBody) {
    start();
    for (const char* key : {"stopVmInstance", "STOPVMINSTANCE", "stopVm", "StopVmInstance"})
        EXPECT_EQ(result_of(call("PUT", vm_actions(), std::string("{\"") + key + "\":{}}")).status, 200) << key;
    const Reply renamed =
        result_of(call("PUT", vm_actions(), R"({"requestIp":"::1","UUID":"x","updateVmInstance":{"NAME":"new"}})"));
    EXPECT_EQ(renamed.json()["inventory"]["name"], "new");
    EXPECT_EQ(renamed.json()["inventory"]["uuid"], some_uuid) << "each action has its own name for the variable of the path";
    const Reply unknown = call("PUT", vm_actions(), R"({"explodeVmInstance":{}})");
    EXPECT_EQ(unknown.status, 400);
    const std::string details = unknown.json()["error"]["details"];
    EXPECT_NE(details.find("explodeVmInstance"), std::string::npos);
    EXPECT_NE(details.find("stopVmInstance, updateVmInstance"), std::string::npos);
    EXPECT_EQ(call("PUT", vm_actions(), "{}").status, 400);
    EXPECT_EQ(call("PUT", vm_actions()).status, 400);
    EXPECT_EQ(call("PUT", vm_actions(), R"({"stopVmInstance":[]})").status, 400);
    EXPECT_EQ(result_of(call("PUT", vm_actions(), R"({"stopVmInstance":null})")).status, 200);
}

TEST_F(HttpServerTest, AnActionThatIsAloneNeedsNoKey) {
    start();
    const std::string path = "/v1/things/x/alone/actions";
    for (const char* body : {"", "{}", R"({"params":{"number":7}})", R"({"null":{"number":7}})", R"({"systemTags":null})"})
        EXPECT_EQ(call("PUT", path, body).status, 202) << body;
    EXPECT_EQ(result_of(call("PUT", path, R"({"null":{"number":7}})")).json()["number"], 7);
    EXPECT_EQ(call("PUT", path, R"({"setSomething":{}})").status, 400);
    EXPECT_EQ(call("PUT", path, R"({"number":7})").status, 400) << "a parameter beside its object must not be lost silently";
}

TEST_F(HttpServerTest, GeneratedClientsMayPostWithoutAWrapperOrWithTheNameOfTheOperation) {
    start();
    const std::string path = "/v1/vm-instances/" + some_uuid + "/iso/abc";
    const Reply tags = result_of(call("POST", path, R"({"systemTags":["cdromUuid::x"]})"));
    EXPECT_EQ(tags.json(), (json{{"iso", "abc"}, {"tags", {"cdromUuid::x"}}}));
    EXPECT_EQ(result_of(call("POST", path, R"({"null":{"isoUuid":"other","systemTags":["inner"]},"systemTags":["outer"]})"))
                  .json(),
              (json{{"iso", "abc"}, {"tags", {"outer"}}}));
    EXPECT_EQ(result_of(call("POST", path)).status, 200);
    EXPECT_EQ(result_of(call("POST", "/v1/zones", R"({"createZone":{"name":"z"}})")).status, 200);
}

TEST_F(HttpServerTest, QueriesTakeListsMapsAndCarelessEscapes) {
    start();
    const Reply reply =
        call("GET", "/v1/things/x/echo?names=a&names=b+c&labels.k=v%3D1&labels.l=2&number=3.0&flag=True&total=9");
    EXPECT_EQ(
        reply.json(),
        (json{
            {"uuid", "x"}, {"names", {"a", "b c"}}, {"labels", {{"k", "v=1"}, {"l", "2"}}}, {"number", 3}, {"flag", true}}));
    EXPECT_EQ(call("GET", "/v1/things/x/echo?names.0=a&names.1=b").json()["names"], json({"a", "b"}));
    EXPECT_EQ(call("GET", "/v1/things/x/echo?uuid=y&names=['a', \"b\"]").json()["names"], json({"a", "b"}));
    EXPECT_EQ(call("GET", "/v1/things/x/echo?uuid=y").json()["uuid"], "x") << "the URL wins";
    EXPECT_EQ(call("GET", "/v1/things/x/echo?number=1&number=2").status, 400);
    EXPECT_EQ(call("GET", "/v1/things/x/echo?number=two").status, 400);
    const Reply out_of_range = call("GET", "/v1/things/x/echo?number=11");
    EXPECT_EQ(out_of_range.status, 503);
    EXPECT_EQ(out_of_range.json()["error"]["code"], "SYS.1007");
    const Reply conditions =
        call("GET", "/v1/zones?q=uuid?=a,b&q=hostUuid is null&sort=%2Bname&limit=10&limit=20&condition=x");
    EXPECT_EQ(conditions.json()["inventories"][0]["name"], R"(["uuid?=a,b","hostUuid is null"]+name10)");
}

TEST_F(HttpServerTest, AGetMayCarryItsParametersInABody) {
    start();
    EXPECT_EQ(call("GET", "/v1/things/x/echo?number=3", R"({"params":{"number":4,"flag":true}})").json(),
              (json{{"uuid", "x"}, {"names", json::array()}, {"labels", json::object()}, {"number", 3}, {"flag", true}}));
    EXPECT_EQ(call("GET", "/v1/things/x/echo", "not json").status, 200);
}

TEST_F(HttpServerTest, BadBodiesAreRefusedWithTheirPosition) {
    start();
    const auto details = [](const Reply& reply) { return reply.json()["error"]["details"].get<std::string>(); };
    const Reply malformed = call("POST", "/v1/zones", R"({"params":{"name":)");
    EXPECT_EQ(malformed.status, 400);
    EXPECT_NE(details(malformed).find("byte 19"), std::string::npos) << details(malformed);
    EXPECT_EQ(call("POST", "/v1/zones", R"({"params":{"name":"z","size":1e999}})").status, 400);
    EXPECT_EQ(call("POST", "/v1/zones", "[1]").status, 400);
    EXPECT_EQ(call("POST", "/v1/zones", "\"text\"").status, 400);
    EXPECT_EQ(call("POST", "/v1/zones", "{\"params\":{\"name\":\"\xff\"}}").status, 400);
    const Reply deep = call("POST", "/v1/zones", R"({"params":)" + std::string(100000, '['));
    EXPECT_EQ(deep.status, 400);
    EXPECT_NE(details(deep).find("nested deeper"), std::string::npos);
    const Reply wrong_type = call("POST", "/v1/zones", R"({"params":{"name":"z","count":"many"}})");
    EXPECT_EQ(wrong_type.status, 400);
    EXPECT_NE(details(wrong_type).find("count"), std::string::npos);
}

TEST_F(HttpServerTest, AWrongArgumentOfAJobFailsTheJob) {
    start();
    const Reply result = result_of(call("POST", "/v1/zones", R"({"params":{}})"));
    EXPECT_EQ(result.status, 503);
    EXPECT_EQ(result.json()["error"]["code"], "SYS.1007");
    const Reply wrong_word = result_of(call("PUT", vm_actions(), R"({"stopVmInstance":{"type":"gentle"}})"));
    EXPECT_NE(wrong_word.json()["error"]["details"].get<std::string>().find("grace, cold"), std::string::npos);
    EXPECT_EQ(stops, 0);
}

TEST_F(HttpServerTest, AMissingResourceOfASynchronousCallIs503) {
    start();
    const Reply reply = call("GET", "/v1/vm-instances/" + every_vm.missing + "/state");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.json()["error"]["code"], "SYS.1003");
}

TEST_F(HttpServerTest, ABugAnswersWithAnErrorAndValidJson) {
    start();
    const Reply reply = ask("GET", "/v1/broken");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.json()["error"]["code"], "SYS.1000");
}

TEST_F(HttpServerTest, TheSchemaComesWithQueriesAndOnRequest) {
    start();
    const json nested = {{"inventories[0]", "org.zstack.header.zone.ZoneInventory"},
                         {"inventories[0].vms[0]", "org.zstack.header.vm.VmInstanceInventory"}};
    EXPECT_EQ(call("GET", "/v1/zones").json()["schema"], nested);
    const std::string body = R"({"params":{"name":"z"}})";
    EXPECT_FALSE(result_of(call("POST", "/v1/zones", body)).json().contains("schema"));
    EXPECT_EQ(result_of(call("POST", "/v1/zones", body, "X-JSON-Schema: true\r\n")).json()["schema"],
              (json{{"inventory", "org.zstack.header.zone.ZoneInventory"},
                    {"inventory.vms[0]", "org.zstack.header.vm.VmInstanceInventory"}}));
    EXPECT_EQ(result_of(call("POST", "/v1/zones", body, "X-JSON-Schema: true\r\n")).json()["inventory"]["name"], "z");
}

TEST_F(HttpServerTest, AResentRequestGetsTheSameJobAndRunsOnce) {
    start();
    const std::string header = "X-Job-UUID: " + other_uuid + "\r\n";
    const Reply first = call("PUT", vm_actions(), R"({"stopVmInstance":{}})", header);
    const Reply again = call("PUT", vm_actions(), R"({"stopVmInstance" : {}})", header);
    EXPECT_EQ(first.body, again.body);
    EXPECT_EQ(result_of(again).status, 200);
    EXPECT_EQ(stops, 1);
    const Reply other = call("PUT", vm_actions(), R"({"stopVmInstance":{"type":"cold"}})", header);
    EXPECT_EQ(other.status, 400);
    EXPECT_EQ(stops, 1);
}

TEST_F(HttpServerTest, HeadersThatMakeNoSenseAreRefused) {
    start();
    for (const char* header :
         {"X-Job-UUID: 123", "X-Job-UUID: 5f1d0b8c-2a3e-4d5f-8a9b-0c1d2e3f4a5b", "X-API-Timeout: 0", "X-API-Timeout: 1.5",
          "X-API-Timeout: soon", "X-Web-Hook: ftp://h/", "X-Web-Hook: http://", "X-Web-Hook: nowhere"})
        EXPECT_EQ(call("PUT", vm_actions(), R"({"stopVmInstance":{}})", std::string(header) + "\r\n").status, 400) << header;
    EXPECT_EQ(stops, 0);
}

TEST_F(HttpServerTest, AWebhookGetsTheAnswerOfTheJob) {
    start();
    call("POST", "/v1/zones", R"({"params":{"name":"z"}})",
         "X-Web-Hook: http://me:1/hook\r\nX-Job-UUID: " + other_uuid + "\r\nX-JSON-Schema: true\r\n");
    ASSERT_TRUE(webhooks.wait_for_posts(1));
    const auto post = webhooks.posts().front();
    EXPECT_EQ(post.url, "http://me:1/hook");
    EXPECT_EQ(post.headers.at("X-Job-UUID"), other_uuid);
    EXPECT_EQ(post.headers.at("X-Job-Success"), "true");
    EXPECT_EQ(json::parse(post.body), ask("GET", "/v1/api-jobs/" + other_uuid).json());
    EXPECT_TRUE(json::parse(post.body).contains("schema"));
}

TEST_F(HttpServerTest, JobsAreListedAndCancelledAsLongJobs) {
    start();
    const Reply accepted = call("POST", "/v1/gate", R"({"params":{}})", "X-Job-UUID: " + other_uuid + "\r\n");
    ASSERT_TRUE(gate.wait_for(1));
    const Reply listed = call("GET", "/v1/longjobs?q=state=Running&replyWithCount=true");
    EXPECT_EQ(listed.json()["total"], 1);
    EXPECT_EQ(listed.json()["inventories"][0]["uuid"], other_uuid);
    EXPECT_EQ(listed.json()["inventories"][0]["name"], "WaitForGateInJob");
    EXPECT_EQ(call("GET", "/v1/task-progresses/" + other_uuid).json()["inventories"][0]["content"], "40");
    EXPECT_EQ(call("GET", "/v1/task-progresses/" + some_uuid).json()["error"]["code"], "PROGRESS.1000");
    EXPECT_EQ(call("PUT", "/v1/longjobs/" + other_uuid + "/actions", R"({"cancelLongJob":{}})").status, 200);
    EXPECT_EQ(call("PUT", "/v1/longjobs/" + some_uuid + "/actions", R"({"cancelLongJob":{}})").json()["error"]["code"],
              "SYS.1003");
    EXPECT_EQ(call("GET", "/v1/longjobs?q=nonsense=1").status, 503);
    gate.open();
}

TEST_F(HttpServerTest, HealthReadinessAndOpenApiNeedNoSession) {
    start();
    const Reply health = ask("GET", "/hvagent/v1/health");
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.json()["version"], "1.2.3");
    EXPECT_EQ(ask("GET", "/hvagent/v1/ready").status, 200);
    EXPECT_EQ(ask("GET", "/hvagent/v1/openapi.json").json()["openapi"], "3.1.0");
    EXPECT_EQ(ask("GET", "/hvagent/v1/nothing").status, 404);
    EXPECT_EQ(ask("POST", "/hvagent/v1/health").status, 405);
    const Reply head = ask("HEAD", "/hvagent/v1/health", "", "Connection: close\r\n");
    EXPECT_EQ(head.status, 0) << "the announced body does not follow";
}

TEST_F(HttpServerTest, NotReadySaysWhy) {
    not_ready = {"libvirt cannot be reached"};
    start();
    const Reply reply = ask("GET", "/hvagent/v1/ready");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.json()["reasons"], json({"libvirt cannot be reached"}));
    EXPECT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
}

}  // namespace
}  // namespace hvagent::http
