#include "agent/http/legacy_endpoint.h"

#include <ctime>
#include <map>

#include "agent/api/row.h"
#include "agent/http/answers.h"
#include "agent/http/arguments.h"
#include "agent/http/rest_endpoint.h"
#include "agent/http/url.h"
#include "agent/identity/identity.h"
#include "hvagent/ids.h"

namespace hvagent::http {

struct LegacyEndpoint::Message {
    std::string name;     // "StopVmInstance"
    std::string package;  // "org.zstack.header.vm."
    json fields;
    const api::Row* row = nullptr;
};

namespace {

using Message = json;

const std::map<std::string, std::string> query_operators{
    {"=", "="},   {"!=", "!="},      {">", ">"},      {"<", "<"},          {">=", ">="},    {"<=", "<="},
    {"in", "?="}, {"not in", "!?="}, {"like", "~="},  {"not like", "!~="}, {"?=", "?="},    {"!?=", "!?="},
    {"~=", "~="}, {"!~=", "!~="},    {"is null", ""}, {"is not null", ""}, {"not null", ""}};

// "Nov 14, 2017 10:20:57 PM"
std::string wire_date(Time time) {
    const std::time_t seconds_since_1970 = std::chrono::system_clock::to_time_t(time);
    std::tm local{};
    localtime_r(&seconds_since_1970, &local);
    char month[8], rest[32], clock[16];
    std::strftime(month, sizeof month, "%b", &local);
    std::strftime(rest, sizeof rest, "%Y", &local);
    std::strftime(clock, sizeof clock, ":%M:%S %p", &local);
    const int hour = local.tm_hour % 12 == 0 ? 12 : local.tm_hour % 12;
    return std::string(month) + " " + std::to_string(local.tm_mday) + ", " + rest + " " + std::to_string(hour) + clock;
}

// The Python binding cannot read null, wherever it stands.
json without_nulls(const json& value) {
    if (value.is_object()) {
        json out = json::object();
        for (const auto& [key, member] : value.items())
            if (!member.is_null()) out[key] = without_nulls(member);
        return out;
    }
    if (!value.is_array()) return value;
    json out = json::array();
    for (const json& item : value)
        if (!item.is_null()) out.push_back(without_nulls(item));
    return out;
}

std::string reply_name(const std::string& operation, bool is_job) {
    if (operation.starts_with("LogInBy")) return "APILogInReply";
    return "API" + operation + (is_job ? "Event" : "Reply");
}

// `result` is a text that holds one object with one key.
std::string result_text(const std::string& reply, json content, bool is_success) {
    content["success"] = is_success;
    return json{{reply, without_nulls(content)}}.dump(-1, ' ', true, json::error_handler_t::replace);
}

Response done(const std::string& uuid, const std::string& result, Time created, Time finished) {
    json body = {
        {"state", "Done"}, {"createdDate", wire_date(created)}, {"finishedDate", wire_date(finished)}, {"result", result}};
    if (!uuid.empty()) body["uuid"] = uuid;
    return json_answer(200, body);
}

Response processing(const std::string& uuid, Time created) {
    return json_answer(200, {{"state", "Processing"}, {"uuid", uuid}, {"createdDate", wire_date(created)}});
}

std::string condition_text(const json& condition) {
    if (!condition.is_object() || !condition.contains("name") || !condition.contains("op") ||
        !condition["name"].is_string() || !condition["op"].is_string())
        throw Error(Code::bad_request, "a condition must be {\"name\", \"op\", \"value\"}");
    const std::string op = to_lower(trimmed(condition["op"].get<std::string>()));
    const auto known = query_operators.find(op);
    if (known == query_operators.end())
        throw Error(Code::bad_request, "unknown operator \"" + op.substr(0, 40) + "\" in a condition");
    const std::string name = condition["name"].get<std::string>();
    if (known->second.empty()) return name + (op == "is null" ? " is null" : " not null");
    const json value = condition.value("value", json(""));
    return name + known->second + (value.is_string() ? value.get<std::string>() : value.dump());
}

// Conditions and sort of a query in the words of the REST contract.
json query_fields(const json& fields) {
    json out = fields;
    if (const auto conditions = fields.find("conditions"); conditions != fields.end() && !conditions->is_null()) {
        if (!conditions->is_array()) throw Error(Code::bad_request, "\"conditions\" must be a list");
        out["q"] = json::array();
        for (const json& condition : *conditions) out["q"].push_back(condition_text(condition));
    }
    if (fields.contains("sortBy") && fields["sortBy"].is_string()) {
        const bool is_descending = equal_ignoring_case(fields.value("sortDirection", "asc"), "desc");
        out["sort"] = (is_descending ? "-" : "+") + fields["sortBy"].get<std::string>();
    }
    out.erase("uuid");  // a query by messages has no /{uuid} form
    return out;
}

std::string session_in(const json& fields) {
    if (const auto session = fields.find("session"); session != fields.end() && session->is_object())
        if (const auto uuid = session->find("uuid"); uuid != session->end() && uuid->is_string())
            return uuid->get<std::string>();
    if (const auto uuid = fields.find("sessionUuid"); uuid != fields.end() && uuid->is_string())
        return uuid->get<std::string>();
    return "";
}

std::optional<milliseconds> timeout_in(const json& fields) {
    const auto found = fields.find("timeout");
    if (found == fields.end() || !found->is_number_integer() || found->get<std::int64_t>() <= 0) return std::nullopt;
    return milliseconds(found->get<std::int64_t>());
}

}  // namespace

void LegacyEndpoint::handle(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const {
    const Request& request = exchange->request;
    const bool is_write = request.method == "POST" || request.method == "PUT";
    if (segments.size() == 2 && equal_ignoring_case(segments[0], "result")) {
        if (request.method != "GET" && request.method != "PUT") throw Error(Code::wrong_method, "a result is read with GET");
        return exchange->respond(poll(segments[1]));
    }
    if (!segments.empty())
        throw Error(Code::no_such_path, "there is nothing at " + std::string(split_target(request.target).path));
    if (!is_write) throw Error(Code::wrong_method, "messages are sent with POST");
    slow_.run([this, exchange] {
        const Time now = parts_.clock.now();
        std::string reply = "APIReply";
        try {
            const LegacyEndpoint::Message message = read_message(exchange->request);
            reply = message.package + reply_name(message.name, message.row && message.row->is_job);
            if (!message.row) throw Error(Code::unimplemented, "there is no operation " + message.name);
            exchange->respond(message.row->is_job ? submit(message) : call(exchange->request, message));
        } catch (...) {
            exchange->respond(
                done("", result_text(reply, {{"error", api::to_json(current_error())}}, false), now, parts_.clock.now()));
        }
    });
}

LegacyEndpoint::Message LegacyEndpoint::read_message(const Request& request) const {
    const json body = parse_body(request.body);
    if (!body.is_object() || body.empty() || !body.begin()->is_object())
        throw Error(Code::bad_request, "a message must be {\"org.zstack....API<Name>Msg\": {...}}");
    Message message;
    const std::string full_name = body.begin().key();
    const auto dot = full_name.rfind('.');
    message.package = dot == std::string::npos ? "" : full_name.substr(0, dot + 1);
    message.name = full_name.substr(message.package.size());
    if (!message.name.starts_with("API") || !message.name.ends_with("Msg") || message.name.size() < 7)
        throw Error(Code::bad_request, "\"" + message.name.substr(0, 80) + "\" is not the name of a message, API<Name>Msg");
    message.name = message.name.substr(3, message.name.size() - 6);
    message.row = parts_.catalog.find(message.name);
    message.fields = *body.begin();
    return message;
}

Response LegacyEndpoint::call(const Request& request, const Message& message) const {
    const Time begun = parts_.clock.now();
    const api::Row& row = *message.row;
    const std::string session = session_in(message.fields);
    api::Call call{"", session, request.client_address};
    if (row.needs_session) call.account = parts_.identity.account_of_session(session);
    const json arguments = row.accept(known_fields(row, row.is_query ? query_fields(message.fields) : message.fields));
    const json answer = answer_now(row, arguments, parts_.references, call);
    json content = answer.is_object() ? answer : json::object();
    content.erase("schema");
    return done("", result_text(message.package + reply_name(row.name, false), content, true), begun, parts_.clock.now());
}

Response LegacyEndpoint::submit(const Message& message) const {
    const api::Row& row = *message.row;
    const Time now = parts_.clock.now();
    jobs::Submission submission;
    try {
        if (row.needs_session) submission.account = parts_.identity.account_of_session(session_in(message.fields));
    } catch (const Error& error) {
        const std::string uuid = make_uuid();
        refused_.add(uuid, error);
        return processing(uuid, now);
    }
    submission.row = &row;
    submission.arguments = row.accept(known_fields(row, message.fields));
    submission.timeout = timeout_in(message.fields);
    try {
        row.check(submission.arguments);
    } catch (const Error& error) {
        submission.refused = error;
    }
    return processing(parts_.jobs.submit(std::move(submission)).str(), now);
}

Response LegacyEndpoint::poll(const std::string& uuid) const {
    const Time now = parts_.clock.now();
    const auto job = parts_.jobs.find(JobId(uuid));
    if (!job) {
        const auto refused = refused_.find(uuid);
        if (!refused) throw Error(Code::no_such_path, "the job " + uuid.substr(0, 64) + " is unknown or has expired");
        return done(uuid, result_text("APIEvent", {{"error", api::to_json(*refused)}}, false), now, now);
    }
    if (!job->is_finished()) return processing(uuid, job->created);
    const std::string reply = "org.zstack." + reply_name(job->operation, true);
    json content = job->error ? json{{"error", *job->error}} : job->result.is_object() ? job->result : json::object();
    return done(uuid, result_text(reply, std::move(content), !job->error), job->created, job->finished.value_or(now));
}

}  // namespace hvagent::http
