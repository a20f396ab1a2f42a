// The machinery of the operation table: declarations, the two passes over arguments, what stands before handlers.
#include "agent/api/operation.h"

#include <gtest/gtest.h>

#include "agent/api/query_request.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::api {
namespace {

struct Params {
    VmId vm;
    ZoneId zone;
    std::string name;
    std::string secret;
    int count = 7;
    std::int64_t size = 0;
    bool flag = true;
    double ratio = 0;
    StopType type = StopType::grace;
    std::vector<std::string> words;
    std::vector<VolumeId> volumes;
    std::map<std::string, int> numbers;
    std::optional<int> maybe;
    json anything;
    Tags tags;
};

Operation<Params> declaration() {
    return Operation<Params>{"DoThing", Method::put, "/things/{uuid}/actions", "Do it"}
        .action("doThing")
        .required(In::url, "uuid", &Params::vm, "the VM")
        .optional(In::body, "name", &Params::name, "a name")
        .is_name()
        .optional(In::body, "secret", &Params::secret, "a secret")
        .secret()
        .optional(In::body, "count", &Params::count, "how many")
        .range(1, 10)
        .optional(In::body, "size", &Params::size, "how large")
        .range(0)
        .optional(In::body, "flag", &Params::flag, "a flag")
        .optional(In::body, "type", &Params::type, "how")
        .optional(In::body, "words", &Params::words, "words")
        .optional(In::body, "volumes", &Params::volumes, "volumes")
        .optional(In::body, "numbers", &Params::numbers, "a map")
        .optional(In::body, "maybe", &Params::maybe, "perhaps")
        .optional(In::body, "anything", &Params::anything, "any JSON")
        .new_id(&Params::zone)
        .refuses("colour", "things have none");
}

Row row() {
    return declaration().runs_as_job(no_queue<Params>(), [](Job&, const Params&) { return json::object(); });
}

const std::string uuid = "5f1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b";

// What the handler would get for these arguments.
Params handled(const json& arguments) {
    Params seen;
    const Row answering = declaration().answers([&seen](const Call&, const Params& params) {
        seen = params;
        return json::object();
    });
    const json canonical = answering.accept(arguments);
    answering.check(canonical);
    answering.answer({}, canonical);
    return seen;
}

TEST(Operation, DefaultsComeFromTheStructAndIdsAreMade) {
    const Params params = handled({{"uuid", uuid}});
    EXPECT_EQ(params.vm.str(), uuid);
    EXPECT_EQ(params.count, 7);
    EXPECT_TRUE(params.flag);
    EXPECT_TRUE(is_resource_uuid(params.zone.str()));
}

TEST(Operation, TextsOfUrlsBecomeTheirTypes) {
    const Params params = handled({{"uuid", uuid},
                                   {"count", "3"},
                                   {"size", "1.0E7"},
                                   {"flag", "False"},
                                   {"type", "COLD"},
                                   {"words", "one"},
                                   {"maybe", 5.0}});
    EXPECT_EQ(params.count, 3);
    EXPECT_EQ(params.size, 10000000);
    EXPECT_FALSE(params.flag);
    EXPECT_EQ(params.type, StopType::cold);
    EXPECT_EQ(params.words, std::vector<std::string>{"one"});
    EXPECT_EQ(params.maybe, 5);
}

TEST(Operation, CanonicalArgumentsAreTyped) {
    const json canonical = row().accept({{"uuid", " " + uuid + " "},
                                         {"count", "3"},
                                         {"flag", "true"},
                                         {"type", "Cold"},
                                         {"resourceUuid", uuid},
                                         {"name", nullptr}});
    EXPECT_EQ(canonical, (json{{"uuid", uuid}, {"count", 3}, {"flag", true}, {"type", "cold"}, {"resourceUuid", uuid}}));
    EXPECT_EQ(row().accept(canonical), canonical) << "accepting twice changes nothing";
}

TEST(Operation, UnsetValuesOfGeneratedClientsAreNotGiven) {
    const json canonical =
        row().accept({{"uuid", uuid}, {"count", 0}, {"type", ""}, {"resourceUuid", ""}, {"maybe", nullptr}});
    EXPECT_FALSE(canonical.contains("count"));
    EXPECT_FALSE(canonical.contains("type"));
    EXPECT_TRUE(is_resource_uuid(canonical["resourceUuid"].get<std::string>()));
}

TEST(Operation, WrongTypesAreBadRequests) {
    const std::vector<std::pair<const char*, json>> wrong{{"count", "three"},
                                                          {"count", 1.5},
                                                          {"count", true},
                                                          {"count", json::array({1, 2})},
                                                          {"count", 99999999999},
                                                          {"flag", "yes"},
                                                          {"flag", 1},
                                                          {"name", json::object()},
                                                          {"words", json::object()},
                                                          {"numbers", "a"},
                                                          {"numbers", {{"a", "b"}}},
                                                          {"volumes", {1.5}},
                                                          {"type", json::array({"cold", "grace"})},
                                                          {"uuid", json::array({uuid, uuid})}};
    for (const auto& [name, value] : wrong) {
        json arguments = {{"uuid", uuid}};
        arguments[name] = value;
        const Error error = thrown_error([&] { row().accept(arguments); });
        EXPECT_EQ(error.code(), Code::bad_request) << name << " " << value;
        EXPECT_NE(error.details().find(name), std::string::npos) << error.details();
    }
}

TEST(Operation, WrongValuesAreInvalidArguments) {
    const std::vector<std::pair<const char*, json>> wrong{
        {"count", 11},      {"count", -1},           {"size", -1},
        {"name", "a\nb"},   {"name", "<b>"},         {"name", std::string(256, 'x')},
        {"type", "gently"}, {"resourceUuid", "123"}, {"resourceUuid", std::string(32, '0')},
        {"colour", "red"},  {"systemTags", {"a::b"}}};
    for (const auto& [name, value] : wrong) {
        json arguments = {{"uuid", uuid}};
        arguments[name] = value;
        const json canonical = row().accept(arguments);
        const Error error = thrown_error([&] { row().check(canonical); });
        EXPECT_EQ(error.code(), Code::invalid_argument) << name << " " << value;
        EXPECT_NE(error.details().find(name), std::string::npos) << error.details();
    }
    const Error missing = thrown_error([] { row().check(row().accept(json::object())); });
    EXPECT_NE(missing.details().find("'uuid' is required"), std::string::npos);
}

TEST(Operation, LengthsCountCharactersNotBytes) {
    std::string name;
    for (int i = 0; i < 255; ++i) name += "\xe4\xb8\xad";
    EXPECT_NO_THROW(row().check(row().accept({{"uuid", uuid}, {"name", name}})));
}

TEST(Operation, TagsReachTheOperationsThatTakeThem) {
    Params seen;
    const Row tagged = Operation<Params>{"Make", Method::post, "/things", "Make"}
                           .takes_tags(&Params::tags)
                           .answers([&seen](const Call&, const Params& params) {
                               seen = params;
                               return json::object();
                           });
    EXPECT_EQ(tagged.body_key, "params");
    const json canonical = tagged.accept({{"systemTags", {"a::b"}}, {"userTags", "mine"}});
    tagged.check(canonical);
    tagged.answer({}, canonical);
    EXPECT_EQ(seen.tags.system, std::vector<std::string>{"a::b"});
    EXPECT_EQ(seen.tags.user, std::vector<std::string>{"mine"});
}

TEST(Operation, QueuesAreNamedByTheResourcesOfTheArguments) {
    const Row queued =
        Operation<Params>{"Attach", Method::post, "/things", "Attach"}
            .required(In::body, "vm", &Params::vm, "")
            .optional(In::body, "zone", &Params::zone, "")
            .runs_as_job(queue_of(&Params::vm, &Params::zone), [](Job&, const Params&) { return json::object(); });
    EXPECT_EQ(queued.queues({{"vm", uuid}}), std::vector<std::string>{"VmInstance:" + uuid});
}

TEST(Operation, SecretsAreMasked) {
    const json masked =
        mask_secrets(row(), {{"secret", "s"}, {"name", "n"}, {"systemTags", {"consolePassword::s", "other::x"}}});
    EXPECT_EQ(masked, (json{{"secret", "******"}, {"name", "n"}, {"systemTags", {"consolePassword::******", "other::x"}}}));
}

class World final : public References {
public:
    bool exists(std::string_view, const std::string& id) const override { return id == uuid; }
    std::optional<VmState> vm_state(const VmId&) const override { return state; }
    std::optional<VmState> state = VmState::running;
};

const std::string unknown = "6a1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b";

TEST(Admit, WhatIsNamedMustExist) {
    World world;
    EXPECT_TRUE(admit(row(), {{"uuid", uuid}, {"resourceUuid", unknown}}, world, false));
    EXPECT_EQ(thrown_error([&] { admit(row(), {{"uuid", unknown}}, world, false); }).code(), Code::not_found);
    EXPECT_EQ(thrown_error([&] {
                  admit(row(), {{"uuid", uuid}, {"volumes", {uuid, unknown}}}, world, false);
              }).code(),
              Code::not_found);
    EXPECT_EQ(thrown_error([&] {
                  admit(row(), {{"uuid", uuid}, {"resourceUuid", uuid}}, world, false);
              }).code(),
              Code::invalid_argument);
    EXPECT_TRUE(admit(row(), {{"uuid", uuid}, {"resourceUuid", uuid}}, world, true)) << "its own trace is no conflict";
}

TEST(Admit, DeletingWhatIsGoneSucceeds) {
    const Row gone = Operation<Params>{"DeleteThing", Method::del, "/things/{uuid}", "Delete"}
                         .required(In::url, "uuid", &Params::vm, "")
                         .gone_is_success()
                         .runs_as_job(no_queue<Params>(), [](Job&, const Params&) { return json::object(); });
    EXPECT_FALSE(admit(gone, {{"uuid", unknown}}, World(), false));
    EXPECT_EQ(thrown_error([&] { admit(gone, {{"uuid", "not-a-uuid"}}, World(), false); }).code(), Code::not_found);
}

TEST(Admit, AWrongStateIsWrappedInTheFailureOfTheOperation) {
    const Row ruled = Operation<Params>{"StopThing", Method::put, "/things/{uuid}/stop", "Stop"}
                          .required(In::url, "uuid", &Params::vm, "")
                          .allowed_in({VmState::running, VmState::paused}, Code::vm_stop)
                          .runs_as_job(no_queue<Params>(), [](Job&, const Params&) { return json::object(); });
    World world;
    EXPECT_TRUE(admit(ruled, {{"uuid", uuid}}, world, false));
    world.state = VmState::stopped;
    const Error error = thrown_error([&] { admit(ruled, {{"uuid", uuid}}, world, false); });
    EXPECT_EQ(error.code(), Code::vm_stop);
    ASSERT_TRUE(error.cause());
    EXPECT_EQ(error.cause()->code(), Code::vm_wrong_state);
    EXPECT_NE(error.cause()->details().find("Running, Paused"), std::string::npos);
    EXPECT_TRUE(admit(ruled, {{"uuid", uuid}}, world, true));
}

TEST(Catalog, RefusesTwoRowsOfOneNameOrRoute) {
    EXPECT_THROW(Catalog({{row()}, {row()}}), Error);
    const auto other = [](const char* name, const char* key) {
        return Operation<Params>{name, Method::put, "/things/{uuid}/actions", ""}.action(key).answers(
            [](const Call&, const Params&) { return json::object(); });
    };
    EXPECT_THROW(Catalog({{row(), other("Other", "doThing")}}), Error);
    const Catalog catalog({{row(), other("Other", "doOther")}});
    EXPECT_EQ(catalog.find("OTHER")->name, "Other");
    EXPECT_EQ(catalog.find("Nothing"), nullptr);
}

TEST(QueryOperation, TakesTheFirstOfRepeatedValues) {
    QueryRequest seen;
    const Row query =
        query_operation("QueryThing", "Thing", "/things", "Find", [&seen](const std::string&, const QueryRequest& request) {
            seen = request;
            return json::object();
        });
    query.answer({}, query.accept({{"limit", {"10", "20"}}, {"q", {"a=1", "b=2"}}, {"fields", "x,y"}, {"count", "True"}}));
    EXPECT_EQ(seen.limit, 10);
    EXPECT_EQ(seen.conditions, (std::vector<std::string>{"a=1", "b=2"}));
    EXPECT_TRUE(seen.count);
    EXPECT_EQ(query.paths, (std::vector<std::string>{"/things", "/things/{uuid}"}));
}

TEST(ErrorOnTheWire, NestsItsCause) {
    const json wire = to_json(Error(Code::vm_start, "no start", Error(Code::io_failed, "disk full")));
    EXPECT_EQ(wire["code"], "VM.1001");
    EXPECT_EQ(wire["cause"]["details"], "disk full");
    EXPECT_FALSE(wire["cause"].contains("cause"));
}

}  // namespace
}  // namespace hvagent::api
