#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "agent/cli/command_line.h"
#include "agent/cli/complete.h"
#include "agent/cli/table.h"

namespace hvagent::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const CliCatalog& catalog() {
    static const CliCatalog made(R"({
"resources": {
  "Vm": {"fields": ["uuid", "name", "cpuNum"], "expands": {"vmNics": "Nic"}},
  "Nic": {"fields": ["ip", "mac"], "expands": {"vmInstance": "Vm"}}
},
"operations": [
  {"name": "QueryVm", "summary": "List VMs", "method": "GET", "path": "/vms", "query": "Vm", "job": false, "params": [
    {"name": "uuid", "in": "url", "doc": "one VM", "schema": {"type": "string"}},
    {"name": "limit", "in": "query", "doc": "at most", "schema": {"type": "integer"}},
    {"name": "fields", "in": "query", "doc": "what to show", "schema": {"type": "array", "items": {"type": "string"}}},
    {"name": "sort", "in": "query", "doc": "order", "schema": {"type": "string"}}]},
  {"name": "CreateVm", "summary": "Make a VM", "method": "POST", "path": "/vms", "bodyKey": "params", "job": true, "params": [
    {"name": "name", "in": "body", "required": true, "doc": "what people call it", "schema": {"type": "string"}},
    {"name": "cpuNum", "in": "body", "doc": "CPUs", "schema": {"type": "integer"}},
    {"name": "virtio", "in": "body", "doc": "devices", "schema": {"type": "boolean"}},
    {"name": "sizes", "in": "body", "doc": "disks", "schema": {"type": "array", "items": {"type": "integer"}}},
    {"name": "tags", "in": "body", "doc": "tags", "schema": {"type": "array", "items": {"type": "string"}}},
    {"name": "byIndex", "in": "body", "doc": "a map", "schema": {"type": "object"}},
    {"name": "strategy", "in": "body", "doc": "how", "schema": {"type": "string", "enum": ["InstantStart", "JustCreate"]}}]},
  {"name": "DeleteVm", "summary": "Delete a VM", "method": "DELETE", "path": "/vms/{uuid}", "job": true, "params": [
    {"name": "uuid", "in": "url", "required": true, "doc": "the VM", "schema": {"type": "string"}},
    {"name": "deleteMode", "in": "query", "doc": "how", "schema": {"type": "string"}}]}
]})");
    return made;
}

HttpRequest request(const std::string& operation, const std::vector<std::string>& words) {
    return make_request(*catalog().find(operation), words);
}
json body(const std::vector<std::string>& words) {
    std::vector<std::string> all{"name=web"};
    all.insert(all.end(), words.begin(), words.end());
    return request("CreateVm", all).body["params"];
}
std::string refusal(const std::string& operation, const std::vector<std::string>& words) {
    try {
        request(operation, words);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    ADD_FAILURE() << operation << " was not refused";
    return "";
}

TEST(CommandLine, FindsOperationsWithoutRegardToCase) {
    EXPECT_EQ(catalog().find("createvm"), catalog().find("CreateVm"));
    EXPECT_EQ(catalog().find("Create"), nullptr);
}

TEST(CommandLine, TypesValuesByTheTable) {
    EXPECT_EQ(body({"cpuNum=2", "virtio=false"}), (json{{"name", "web"}, {"cpuNum", 2}, {"virtio", false}}));
    EXPECT_EQ(request("CreateVm", {"name=123"}).body["params"]["name"], "123") << "a text stays a text";
    EXPECT_EQ(body({"cpuNum=two"})["cpuNum"], "two") << "the daemon says what it expected";
}

TEST(CommandLine, KeepsEqualsSignsOfAValue) {
    EXPECT_EQ(request("CreateVm", {"name=a=b"}).body["params"]["name"], "a=b");
}

TEST(CommandLine, MakesListsOfCommasRepeatedKeysAndJson) {
    EXPECT_EQ(body({"sizes=1,2"})["sizes"], json({1, 2}));
    EXPECT_EQ(body({"tags=a", "tags=b,c"})["tags"], json({"a", "b", "c"}));
    EXPECT_EQ(body({R"(tags=["a,b","c"])"})["tags"], json({"a,b", "c"}));
    EXPECT_THAT(refusal("CreateVm", {"name=a", "name=b"}), HasSubstr("'name' stands twice"));
}

TEST(CommandLine, TakesMapsAsJsonOnly) {
    EXPECT_EQ(body({R"(byIndex={"0":["a"]})"})["byIndex"], (json{{"0", {"a"}}}));
    EXPECT_THAT(refusal("CreateVm", {"name=a", "byIndex=0:a"}), HasSubstr("must be JSON"));
}

TEST(CommandLine, NamesWhatIsMissingOrUnknown) {
    EXPECT_THAT(refusal("CreateVm", {"cpuNum=1"}), HasSubstr("'name' is required: what people call it"));
    EXPECT_THAT(refusal("CreateVm", {"name=a", "cpunum=1"}), HasSubstr("no parameter 'cpunum'"));
    EXPECT_THAT(refusal("CreateVm", {"name=a", "fast"}), HasSubstr("\"fast\" is not key=value"));
    EXPECT_THAT(refusal("DeleteVm", {}), HasSubstr("'uuid' is required"));
}

TEST(CommandLine, PutsParametersIntoPathAndQueryString) {
    const HttpRequest made = request("DeleteVm", {"uuid=a/b", "deleteMode=Very Hard"});
    EXPECT_EQ(made.method, "DELETE");
    EXPECT_EQ(made.target, "/vms/a%2Fb?deleteMode=Very%20Hard");
    EXPECT_TRUE(made.body.is_null());
}

TEST(CommandLine, TellsConditionsOfAQueryFromItsParameters) {
    EXPECT_EQ(request("QueryVm", {"limit=5", "name=web", "cpuNum>2", "vmNics.ip~=10.%"}).target,
              "/vms?limit=5&q=name%3Dweb&q=cpuNum%3E2&q=vmNics.ip~%3D10.%25");
    EXPECT_EQ(request("QueryVm", {"uuid=abc"}).target, "/vms?q=uuid%3Dabc");
    EXPECT_EQ(request("QueryVm", {"name!=web"}).target, "/vms?q=name%21%3Dweb");
    EXPECT_EQ(request("QueryVm", {"name is null"}).target, "/vms?q=name%20is%20null");
    EXPECT_EQ(request("QueryVm", {"fields=uuid,name"}).target, "/vms?fields=uuid%2Cname");
    EXPECT_THAT(refusal("QueryVm", {"web"}), HasSubstr("neither key=value nor a condition"));
}

TEST(Complete, OffersOperationsAndCommands) {
    EXPECT_THAT(complete(catalog(), {"q"}), ElementsAre("QueryVm"));
    EXPECT_THAT(complete(catalog(), {"lo"}), ElementsAre("login", "logout"));
    EXPECT_THAT(complete(catalog(), {""}), Contains("DeleteVm"));
}

TEST(Complete, OffersParametersAndTheirValues) {
    EXPECT_THAT(complete(catalog(), {"CreateVm", "s"}), ElementsAre("sizes=", "strategy="));
    EXPECT_THAT(complete(catalog(), {"CreateVm", "strategy="}), ElementsAre("strategy=InstantStart", "strategy=JustCreate"));
    EXPECT_THAT(complete(catalog(), {"CreateVm", "virtio=t"}), ElementsAre("virtio=true"));
    EXPECT_THAT(complete(catalog(), {"CreateVm", "nothing="}), IsEmpty());
}

TEST(Complete, OffersFieldsOfAQueryAcrossResources) {
    EXPECT_THAT(complete(catalog(), {"QueryVm", "vmN"}), ElementsAre("vmNics."));
    EXPECT_THAT(complete(catalog(), {"QueryVm", "vmNics.m"}), ElementsAre("vmNics.mac="));
    EXPECT_THAT(complete(catalog(), {"QueryVm", "vmNics.vmInstance.n"}), ElementsAre("vmNics.vmInstance.name="));
    EXPECT_THAT(complete(catalog(), {"QueryVm", "nowhere.x"}), IsEmpty());
    EXPECT_THAT(complete(catalog(), {"QueryVm", "fields=uuid,n"}), ElementsAre("fields=uuid,name"));
}

std::string table(const json& inventories, const std::vector<std::string>& fields = {}, std::size_t width = 0) {
    std::ostringstream out;
    print_table(out, inventories, fields, width);
    return out.str();
}

TEST(Table, LinesUpColumnsByShownWidth) {
    const json vms = json::parse(R"([{"name":"büro","state":"Running"},{"name":"web-01"}])");
    EXPECT_EQ(table(vms), "name    state\nbüro    Running\nweb-01  -\n");
}

TEST(Table, ShowsAskedFieldsInTheirOrder) {
    const json vms = json::parse(R"([{"name":"a","cpuNum":2,"nics":[{"ip":"1"},{"ip":"2"}]}])");
    EXPECT_EQ(table(vms, {"cpuNum", "nics", "name"}), "cpuNum  nics  name\n2       2     a\n");
}

TEST(Table, IsCutBetweenCharactersOnly) {
    EXPECT_EQ(table(json::parse(R"([{"name":"äöü"}])"), {}, 2), "na\näö\n");
}

TEST(Table, ShowsARecordWithItsLists) {
    std::ostringstream out;
    print_record(out, json::parse(R"({"name":"web","vmNics":[{"ip":"10.0.0.2"}]})"));
    EXPECT_EQ(out.str(), "name    web\nvmNics[0]\n  ip  10.0.0.2\n");
}

}  // namespace
}  // namespace hvagent::cli
