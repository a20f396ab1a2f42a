// One row of the operation table, as everything but its declaration sees it: routing, jobs, OpenAPI, hvctl, tests.
// Rows are declared with api::Operation (operation.h) and joined in operations/catalog.cpp.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "hvagent/error.h"
#include "hvagent/job.h"
#include "hvagent/model/vm.h"

namespace hvagent::api {

using nlohmann::json;

enum class Method { get, post, put, del };
std::string_view to_text(Method method);  // "GET"

enum class In { url, query, body };

struct Param {
    std::string name;
    In in = In::body;
    bool required = false;
    std::string doc;
    json schema;             // JSON Schema of the value
    std::string resource;    // "VmInstance" when the value names one that must exist; empty otherwise
    bool is_new_id = false;  // the uuid of what is created: made by the agent when the client gives none
    bool secret = false;     // masked in logs and in stored jobs' listings
    bool trims = true;
};

// What an answer carries under one key.
struct Returned {
    std::string key;       // "inventory"
    std::string resource;  // "VmInstance"; empty: a plain value described by `schema`
    bool is_list = false;
    bool optional = false;
    json schema;
};

// Who asks, for operations that answer at once.
struct Call {
    std::string account;  // uuid; empty for operations that need no session
    std::string session;  // uuid; empty with an access key
    std::string client_address;
};

// What a row needs to know about the world to check arguments.
class References {
public:
    virtual ~References() = default;
    virtual bool exists(std::string_view resource, const std::string& uuid) const = 0;
    virtual std::optional<VmState> vm_state(const VmId& vm) const = 0;
    // What became of a thing that does not exist, in words; empty: nothing is known of it.
    virtual std::string fate(std::string_view /*resource*/, const std::string& /*uuid*/) const { return ""; }
};

struct StateRule {
    std::string vm_param;  // the parameter that names the VM
    std::vector<VmState> allowed;
};

struct Row {
    std::string name;  // "StopVmInstance"
    std::string summary;
    Method method = Method::get;
    std::vector<std::string> paths;  // "/vm-instances/{uuid}/actions"; literals match without regard to case
    std::string body_key;            // "stopVmInstance", "params"; empty: no body
    std::vector<std::string> body_key_aliases;
    std::vector<Param> params;
    std::vector<std::pair<std::string, std::string>> refused;  // known parameters that are not offered, and why
    std::vector<Returned> returns;
    bool is_job = false;
    bool is_query = false;
    bool needs_session = true;
    bool takes_tags = false;
    bool gone_is_success = false;  // deleting what is not there is a success
    milliseconds timeout = std::chrono::minutes(5);
    JobClass job_class = JobClass::quick;
    std::optional<Code> failure;  // errors of the handler are wrapped in this code
    std::optional<StateRule> state_rule;

    // First pass over the arguments of a request (a JSON object: parameter -> value; values from the URL and the query
    // string are texts or lists of texts). Returns them in canonical form: typed, defaults left out, new ids filled in.
    // Error(bad_request): a value of the wrong type. Nothing else is judged here.
    std::function<json(const json& arguments)> accept;
    // Second pass over canonical arguments: required, ranges, enums, lengths. Error(invalid_argument) names the parameter.
    std::function<void(const json& arguments)> check;
    // Queues of a job: it runs after all earlier jobs that share one of them.
    std::function<std::vector<std::string>(const json& arguments)> queues;
    std::function<json(Job& job, const json& arguments)> run;             // is_job
    std::function<json(const Call& call, const json& arguments)> answer;  // else

    const Param* find_param(std::string_view param) const;
};

// What stands before every handler, for jobs at the moment they run: references exist, the VM is in an allowed state.
// Returns false when there is nothing to do (gone_is_success). `resumed`: an earlier life of the daemon began it, so that
// its own traces are no conflict and the state is not judged.
bool admit(const Row& row, const json& arguments, const References& references, bool resumed);
// `cause` wrapped in the row's failure code, as the contract nests them; bad arguments and cancellation stand for
// themselves.
Error wrap_failure(const Row& row, const Error& cause);
// The error on the wire: {"code","description","details","cause"}.
json to_json(const Error& error);
// Arguments with the values of secret parameters replaced by "******".
json mask_secrets(const Row& row, json arguments);

using Table = std::vector<Row>;

// All rows, looked up by name without regard to case. Immutable once built.
class Catalog {
public:
    explicit Catalog(std::vector<Table> tables);  // Error(internal) for two rows of one name or one route
    const Table& rows() const { return rows_; }
    const Row* find(std::string_view name) const;

private:
    Table rows_;
};

}  // namespace hvagent::api
