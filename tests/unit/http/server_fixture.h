// A whole server on loopback, with operations made for tests, a job engine and an identity over a database in memory.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/api/schema.h"
#include "agent/http/server.h"
#include "agent/identity/api.h"
#include "agent/identity/identity.h"
#include "agent/identity/secret_hash.h"
#include "agent/jobs/engine.h"
#include "agent/operations/jobs/api.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/movable_clock.h"
#include "tests/unit/http/http_client.h"

namespace hvagent::http {

using nlohmann::json;

struct OfVm {
    VmId vm;
    StopType type = StopType::grace;
    std::string name;
};
struct MakeZone {
    ZoneId uuid;
    std::string name;
    int count = 0;
    api::Tags tags;
};
struct AttachIso {
    VmId vm;
    std::string iso;
    api::Tags tags;
};
struct Echo {
    std::string uuid;
    std::vector<std::string> names;
    std::map<std::string, std::string> labels;
    int number = 0;
    bool flag = false;
};

// Every VM but one is there; nothing else is.
class EveryVm final : public api::References {
public:
    bool exists(std::string_view resource, const std::string& uuid) const override {
        return resource == "VmInstance" && uuid != missing;
    }
    std::optional<VmState> vm_state(const VmId&) const override { return VmState::running; }
    const std::string missing = std::string(32, 'e');
};

// Where the handler of WaitForGate waits.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait_for(lock, seconds(20), [this] { return is_open_; });
        --waiting_;
    }
    bool wait_for(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(10), [&] { return waiting_ >= count; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool is_open_ = false;
};

inline const std::string some_uuid = "5f1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b";
inline const std::string other_uuid = "6a1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b";

inline std::vector<api::ResourceShape> test_shapes() {
    using api::FieldType;
    const api::ShapeField uuid{"uuid", FieldType::text, {}, true, true, ""};
    const api::ShapeField created{"createDate", FieldType::time, {}, true, true, ""};
    std::vector<api::ResourceShape> shapes{
        {"Zone",
         "org.zstack.header.zone.ZoneInventory",
         "ZoneVO",
         {uuid, {"name", FieldType::text, {}, true, true, ""}, created},
         {{"vms", "VmInstance", true}},
         {{"vmInstance", "VmInstance"}},
         {}},
        {"VmInstance",
         "org.zstack.header.vm.VmInstanceInventory",
         "VmInstanceVO",
         {uuid, {"state", FieldType::text, {"Running", "Stopped"}, true, true, ""}},
         {},
         {},
         {}},
    };
    for (auto& shape : identity::identity_shapes()) shapes.push_back(shape);
    for (auto& shape : operations::job_shapes()) shapes.push_back(shape);
    return shapes;
}

class HttpServerTest : public testing::Test {
public:
    HttpServerTest() {
        identity.open();
        identity.fix_admin_password("password");
    }
    ~HttpServerTest() override {
        gate.open();
        if (server) server->stop();
        jobs.stop();
    }

    void start() {
        settings.listen = "127.0.0.1:0";
        jobs.set_decorate([this](const api::Row& row, json result, bool wanted) {
            return schemas.decorate(row, std::move(result), wanted);
        });
        jobs.start();
        server = std::make_unique<HttpServer>(
            settings, HttpParts{catalog, shapes, every_vm, jobs, identity, clock, [this] { return not_ready; }, "1.2.3"});
        server->start();
    }

    static std::string request_text(const std::string& method, const std::string& target, const std::string& headers,
                                    const std::string& body) {
        const std::string length = body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
        return method + " " + target + " HTTP/1.1\r\nHost: agent:8080\r\n" + headers + length + "\r\n" + body;
    }
    // One request on a connection of its own.
    Reply ask(const std::string& method, const std::string& target, const std::string& body = "",
              const std::string& headers = "") {
        RawClient client(server->port());
        EXPECT_TRUE(client.send(request_text(method, target, headers, body)));
        return client.receive();
    }
    // The same, logged in.
    Reply call(const std::string& method, const std::string& target, const std::string& body = "",
               const std::string& headers = "") {
        if (session.empty()) session = log_in();
        return ask(method, target, body, "Authorization: OAuth " + session + "\r\n" + headers);
    }
    std::string log_in() {
        const Reply reply =
            ask("PUT", "/zstack/v1/accounts/login",
                R"({"logInByAccount":{"accountName":"admin","password":")" + identity::sha512_hex("password") + "\"}}");
        EXPECT_EQ(reply.status, 200) << reply.body;
        return reply.status == 200 ? reply.json()["inventory"]["uuid"].get<std::string>() : "";
    }
    // The final answer of the job that `accepted` names.
    Reply result_of(const Reply& accepted) {
        EXPECT_EQ(accepted.status, 202) << accepted.body;
        if (accepted.status != 202) return {};
        const std::string location = accepted.json()["location"];
        const std::string uuid = location.substr(location.size() - 32);
        jobs.wait(JobId(uuid), std::chrono::steady_clock::now() + seconds(10));
        return ask("GET", "/zstack/v1/api-jobs/" + uuid);
    }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    FakeFileSystem files;
    FakeHttpClient webhooks{files};
    EveryVm every_vm;
    identity::Identity identity{database, clock, {.password_iterations = 1}};
    Gate gate;
    std::atomic<int> stops{0};
    api::Catalog catalog{{operations(), identity::identity_api(identity),
                          operations::jobs_api([this]() -> jobs::JobEngine& { return jobs; }, clock)}};
    std::vector<api::ResourceShape> shapes = test_shapes();
    api::SchemaBuilder schemas{shapes};
    jobs::JobEngine jobs{database, clock, catalog, every_vm, webhooks};
    HttpSettings settings;
    std::vector<std::string> not_ready;
    std::unique_ptr<HttpServer> server;
    std::string session;

private:
    api::Table operations() {
        using namespace api;
        static const json vm = {{"uuid", some_uuid}, {"state", "Running"}};
        static const json zone = {
            {"uuid", some_uuid}, {"name", "z"}, {"createDate", "Nov 14, 2017 10:20:57 PM"}, {"vms", json::array({vm})}};
        return {
            Operation<OfVm>{"StopVmInstance", Method::put, "/vm-instances/{uuid}/actions", "Stop a VM"}
                .action("stopVmInstance", {"stopVm"})
                .required(In::url, "uuid", &OfVm::vm, "the VM")
                .optional(In::body, "type", &OfVm::type, "how")
                .returns("inventory", "VmInstance")
                .fails_as(Code::vm_stop)
                .runs_as_job(queue_of(&OfVm::vm),
                             [this](Job&, const OfVm& p) {
                                 ++stops;
                                 if (p.type == StopType::cold) throw Error(Code::timeout, "the VM is deaf");
                                 return json{{"inventory", {{"uuid", p.vm.str()}, {"state", "Stopped"}}}};
                             }),
            Operation<OfVm>{"UpdateVmInstance", Method::put, "/vm-instances/{vmInstanceUuid}/actions", "Change a VM"}
                .action("updateVmInstance")
                .required(In::url, "vmInstanceUuid", &OfVm::vm, "the VM")
                .required(In::body, "name", &OfVm::name, "its name")
                .is_name()
                .runs_as_job(queue_of(&OfVm::vm),
                             [](Job&, const OfVm& p) {
                                 return json{{"inventory", {{"uuid", p.vm.str()}, {"name", p.name}}}};
                             }),
            Operation<AttachIso>{"AttachIsoToVmInstance", Method::post, "/vm-instances/{vmInstanceUuid}/iso/{isoUuid}",
                                 "Insert a CD"}
                .required(In::url, "vmInstanceUuid", &AttachIso::vm, "the VM")
                .required(In::url, "isoUuid", &AttachIso::iso, "the ISO")
                .takes_tags(&AttachIso::tags)
                .runs_as_job(queue_of(&AttachIso::vm),
                             [](Job&, const AttachIso& p) {
                                 return json{{"iso", p.iso}, {"tags", p.tags.system}};
                             }),
            Operation<MakeZone>{"CreateZone", Method::post, "/zones", "Make a zone"}
                .required(In::body, "name", &MakeZone::name, "its name")
                .is_name()
                .optional(In::body, "count", &MakeZone::count, "a number")
                .new_id(&MakeZone::uuid)
                .takes_tags(&MakeZone::tags)
                .returns("inventory", "Zone")
                .runs_as_job(queue_of(&MakeZone::uuid),
                             [](Job&, const MakeZone& p) {
                                 return json{{"inventory",
                                              {{"uuid", p.uuid.str()},
                                               {"name", p.name},
                                               {"createDate", "Nov 14, 2017 10:20:57 PM"},
                                               {"vms", json::array({vm})}}}};
                             }),
            query_operation("QueryZone", "Zone", "/zones", "Find zones",
                            [](const std::string&, const QueryRequest& request) {
                                json answer = {{"inventories", json::array({zone})}};
                                answer["inventories"][0]["name"] =
                                    json(request.conditions).dump() + request.sort + std::to_string(request.limit);
                                if (request.reply_with_count) answer["total"] = 1;
                                return answer;
                            }),
            Operation<Echo>{"GetEcho", Method::get, "/things/{uuid}/Echo", "Say what was asked"}
                .required(In::url, "uuid", &Echo::uuid, "a text")
                .optional(In::query, "names", &Echo::names, "a list")
                .optional(In::query, "labels", &Echo::labels, "a map")
                .optional(In::query, "number", &Echo::number, "a number")
                .range(1, 10)
                .optional(In::query, "flag", &Echo::flag, "a flag")
                .answers([](const Call&, const Echo& p) {
                    return json{
                        {"uuid", p.uuid}, {"names", p.names}, {"labels", p.labels}, {"number", p.number}, {"flag", p.flag}};
                }),
            Operation<Echo>{"SetNothing", Method::put, "/things//{uuid}/alone/actions",
                            "An action that is alone on its path"}
                .action("setNothing")
                .required(In::url, "uuid", &Echo::uuid, "a text")
                .optional(In::body, "number", &Echo::number, "a number")
                .runs_as_job(no_queue<Echo>(),
                             [](Job&, const Echo& p) {
                                 return json{{"number", p.number}};
                             }),
            Operation<Echo>{"GetVersion", Method::put, "/management-nodes/actions", "The version"}
                .action("getVersion")
                .needs_no_session()
                .returns_value("version", {{"type", "string"}})
                .answers([](const Call&, const Echo&) {
                    return json{{"version", "5.2.0"}};
                }),
            Operation<Echo>{"WaitForGate", Method::get, "/gate", "Answer late"}.also_at("/doors").needs_no_session().answers(
                [this](const Call&, const Echo&) {
                    gate.pass();
                    return json::object();
                }),
            Operation<Echo>{"WaitForGateInJob", Method::post, "/gate", "Work until the gate opens"}
                .also_at("/doors")
                .runs_as_job(no_queue<Echo>(),
                             [this](Job& job, const Echo&) {
                                 job.progress(40, "waiting");
                                 gate.pass();
                                 return json::object();
                             }),
            Operation<Echo>{"GetBroken", Method::get, "/broken", "Fail in a way nobody foresaw"}.needs_no_session().answers(
                [](const Call&, const Echo&) -> json { throw std::runtime_error("a bug with \xff in its text"); }),
            Operation<OfVm>{"GetVmState", Method::get, "/vm-instances/{uuid}/state", "Needs a VM that exists"}
                .required(In::url, "uuid", &OfVm::vm, "the VM")
                .fails_as(Code::vm_stop)
                .answers([](const Call&, const OfVm&) { return json::object(); }),
        };
    }
};

}  // namespace hvagent::http
