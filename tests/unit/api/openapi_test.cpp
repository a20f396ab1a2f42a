// The OpenAPI document against a golden file, and rules that hold for any catalog. HVAGENT_UPDATE_GOLDEN=1 writes the file
// anew.
#include "agent/api/openapi.h"
#include "agent/api/reference_text.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "agent/api/query_request.h"
#include "agent/api/schema.h"
#include "tests/fakes/temp_directory.h"

namespace hvagent::api {
namespace {

struct Params {
    VmId vm;
    std::string name;
    std::string secret;
    StopType type = StopType::grace;
    std::vector<std::string> words;
    Tags tags;
    ZoneId zone;
};

Catalog small_catalog() {
    const auto job = [](Job&, const Params&) { return json::object(); };
    const auto answer = [](const Call&, const Params&) { return json::object(); };
    return Catalog({{
        Operation<Params>{"StopVmInstance", Method::put, "/vm-instances/{uuid}/actions", "Stop a VM"}
            .action("stopVmInstance")
            .required(In::url, "uuid", &Params::vm, "the VM")
            .optional(In::body, "type", &Params::type, "grace or cold")
            .allowed_in({VmState::running}, Code::vm_stop)
            .returns("inventory", "VmInstance")
            .runs_as_job(no_queue<Params>(), job),
        Operation<Params>{"UpdateVmInstance", Method::put, "/vm-instances/{vmInstanceUuid}/actions", "Change a VM"}
            .action("updateVmInstance")
            .required(In::url, "vmInstanceUuid", &Params::vm, "the VM")
            .required(In::body, "name", &Params::name, "its name")
            .is_name()
            .returns("inventory", "VmInstance")
            .runs_as_job(no_queue<Params>(), job),
        Operation<Params>{"CreateZone", Method::post, "/zones", "Make a zone"}
            .required(In::body, "name", &Params::name, "its name")
            .optional(In::body, "secret", &Params::secret, "a secret")
            .secret()
            .new_id(&Params::zone)
            .takes_tags(&Params::tags)
            .refuses("colour", "zones have none")
            .returns("inventory", "Zone")
            .runs_as_job(no_queue<Params>(), job),
        Operation<Params>{"DeleteZone", Method::del, "/zones/{uuid}", "Delete a zone"}
            .required(In::url, "uuid", &Params::zone, "the zone")
            .gone_is_success()
            .runs_as_job(no_queue<Params>(), job),
        query_operation("QueryZone", "Zone", "/zones", "Find zones",
                        [](const std::string&, const QueryRequest&) { return json::object(); }),
        Operation<Params>{"GetQos", Method::get, "/vm-instances/{uuid}/qos", "Limits"}
            .also_at("/vm-instances/{uuid}/QoS")
            .required(In::url, "uuid", &Params::vm, "the VM")
            .optional(In::query, "words", &Params::words, "words")
            .needs_no_session()
            .returns_value("limit", {{"type", "integer"}})
            .answers(answer),
    }});
}

std::vector<ResourceShape> small_shapes() {
    return {{"VmInstance",
             "org.zstack.header.vm.VmInstanceInventory",
             "VmInstanceVO",
             {{"uuid", FieldType::text, {}, true, true, "who it is"},
              {"state", FieldType::text, {"Running", "Stopped"}, true, true, ""},
              {"memorySize", FieldType::integer, {}, true, false, "bytes"},
              {"createDate", FieldType::time, {}, true, true, ""},
              {"password", FieldType::text, {}, false, false, ""}},
             {},
             {{"zone", "Zone"}},
             {}},
            {"Zone",
             "org.zstack.header.zone.ZoneInventory",
             "ZoneVO",
             {{"uuid", FieldType::text, {}, true, true, ""},
              {"dns", FieldType::text_list, {}, true, false, ""},
              {"isDefault", FieldType::boolean, {}, true, false, ""}},
             {{"vms", "VmInstance", true}, {"first", "VmInstance", false}},
             {},
             {{"special", "org.zstack.header.zone.SpecialZoneInventory"}}}};
}

json document() {
    return make_openapi(small_catalog(), small_shapes(), "1.2.3");
}

TEST(OpenApi, IsAsInTheGoldenFile) {
    const std::string golden = std::string(HVAGENT_SOURCE_DIR) + "/tests/golden/openapi.json";
    const std::string made = document().dump(1) + "\n";
    if (std::getenv("HVAGENT_UPDATE_GOLDEN")) write_file(golden, made);
    EXPECT_EQ(made, read_file(golden)) << "run with HVAGENT_UPDATE_GOLDEN=1 when the change is meant";
}

TEST(Reference, NamesEveryOperationAndParameter) {
    const Catalog catalog = small_catalog();
    const std::string page = make_reference(catalog, "1.2.3");
    for (const Row& row : catalog.rows()) {
        EXPECT_NE(page.find("\n.SS " + row.name + "\n"), std::string::npos) << row.name;
        if (row.is_query) continue;
        for (const Param& param : row.params)
            EXPECT_NE(page.find("\\fB" + param.name + "\\fR"), std::string::npos) << param.name;
    }
    EXPECT_NE(page.find("refused: zones have none"), std::string::npos);
}

void collect_references(const json& value, std::vector<std::string>& into) {
    if (value.is_object() && value.contains("$ref")) into.push_back(value["$ref"]);
    if (value.is_structured())
        for (const json& member : value) collect_references(member, into);
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
    const json made = document();
    std::vector<std::string> references;
    collect_references(made, references);
    EXPECT_GT(references.size(), 20u);
    for (const std::string& reference : references)
        EXPECT_TRUE(made.contains(json::json_pointer(reference.substr(1)))) << reference;
}

TEST(OpenApi, OperationIdsAreUniqueAndVariablesAreDeclared) {
    std::set<std::string> ids;
    const json made = document();
    for (const auto& [path, item] : made["paths"].items())
        for (const auto& [verb, operation] : item.items()) {
            if (verb == "servers") continue;
            EXPECT_TRUE(ids.insert(operation["operationId"]).second) << operation["operationId"];
            for (const json& parameter : operation.value("parameters", json::array())) {
                if (parameter.value("in", "") == "path") {
                    EXPECT_NE(path.find("{" + parameter["name"].get<std::string>() + "}"), std::string::npos) << path;
                }
            }
        }
}

TEST(OpenApi, PathsThatDifferOnlyInNamesOrCaseAreOne) {
    const json paths = document()["paths"];
    EXPECT_TRUE(paths.contains("/vm-instances/{uuid}/actions"));
    EXPECT_FALSE(paths.contains("/vm-instances/{vmInstanceUuid}/actions"));
    EXPECT_FALSE(paths.contains("/vm-instances/{uuid}/QoS"));
    EXPECT_EQ(paths["/vm-instances/{uuid}/actions"]["put"]["x-hvagent-operations"].size(), 2u);
}

TEST(Schema, NamesWhatIsThereAndNothingElse) {
    const SchemaBuilder schemas(small_shapes());
    const Catalog catalog = small_catalog();
    const json answer = {
        {"inventories", json::array({{{"uuid", "a"}, {"vms", json::array({json::object(), json::object()})}},
                                     {{"uuid", "b"}, {"type", "special"}, {"vms", nullptr}}})}};
    const json expected = {{"inventories[0]", "org.zstack.header.zone.ZoneInventory"},
                           {"inventories[0].vms[0]", "org.zstack.header.vm.VmInstanceInventory"},
                           {"inventories[0].vms[1]", "org.zstack.header.vm.VmInstanceInventory"},
                           {"inventories[1]", "org.zstack.header.zone.SpecialZoneInventory"}};
    EXPECT_EQ(schemas.schema_of(*catalog.find("QueryZone"), answer), expected);
    EXPECT_EQ(schemas.decorate(*catalog.find("QueryZone"), answer, false)["schema"], expected);
}

TEST(Schema, AnEmptyAnswerCarriesNone) {
    const SchemaBuilder schemas(small_shapes());
    const Catalog catalog = small_catalog();
    EXPECT_EQ(schemas.decorate(*catalog.find("DeleteZone"), json::object(), true), json::object());
    const json made = {{"inventory", {{"uuid", "a"}}}};
    EXPECT_EQ(schemas.decorate(*catalog.find("CreateZone"), made, false), made);
    EXPECT_TRUE(schemas.decorate(*catalog.find("CreateZone"), made, true).contains("schema"));
}

}  // namespace
}  // namespace hvagent::api
