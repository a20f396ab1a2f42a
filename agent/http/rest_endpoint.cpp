#include "agent/http/rest_endpoint.h"

#include <algorithm>
#include <cctype>

#include "agent/http/answers.h"
#include "agent/http/arguments.h"
#include "agent/http/url.h"
#include "agent/identity/secret_hash.h"
#include "hvagent/ids.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

constexpr std::size_t longest_request_id = 64;

// The client's name for it (X-Request-Id) where that is a plain word, else one of ours.
std::string request_id(const Request& request) {
    const std::string given = request.header("x-request-id").substr(0, longest_request_id);
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
    return !given.empty() && std::all_of(given.begin(), given.end(), is_plain) ? given : make_uuid();
}

// Tells a request that is sent again from another one with the same job uuid.
std::string fingerprint_of(const Request& request, const json& body) {
    const std::string text = body.is_null() ? "" : body.dump(-1, ' ', false, json::error_handler_t::replace);
    return identity::sha256_hex(request.method + "\n" + request.target + "\n" + text);
}

bool is_get(const Request& request) {
    return request.method == "GET" || request.method == "HEAD";
}

Response unknown_job(const std::string& uuid) {
    Response response;
    response.status = 404;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "the job " + uuid.substr(0, 64) + " is unknown or has expired\n";
    return response;
}

// The answer, or the one for what went wrong on the way to it.
void respond(Exchange& exchange, const std::function<Response()>& make_answer) {
    Response answer;
    try {
        answer = make_answer();
    } catch (...) {
        answer = error_answer(current_error());
    }
    exchange.respond(std::move(answer));
}

}  // namespace

json answer_now(const api::Row& row, const json& arguments, const api::References& references, const api::Call& call) {
    row.check(arguments);
    if (!api::admit(row, arguments, references, false)) return json::object();
    try {
        return row.answer(call, arguments);
    } catch (...) {
        throw api::wrap_failure(row, current_error());
    }
}

void RestEndpoint::handle(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const {
    const Request& request = exchange->request;
    if (segments.size() == 2 && equal_ignoring_case(segments[0], "api-jobs")) return handle_job(exchange, segments[1]);
    auto candidates = router_.candidates(request.method == "HEAD" ? "GET" : request.method, segments);
    const bool ignores_bad_body =
        is_get(request) || request.method == "DELETE";  // as the real server, which reads none there
    json body;
    try {
        body = parse_body(request.body);
    } catch (const Error&) {
        if (!ignores_bad_body) throw;
    }
    const Choice choice = Router::choose(std::move(candidates), body);
    const api::Row& row = *choice.candidate.row;
    const json arguments = row.accept(gather_arguments(choice, body, parse_query(split_target(request.target).query)));
    read_job_request(request);  // malformed headers are refused also where nothing is made of them
    if (row.is_job) {
        submissions_.run([this, exchange, &row, arguments, body] {
            respond(*exchange, [&] { return submit(exchange->request, row, arguments, body); });
        });
        return;
    }
    const Caller caller = row.needs_session ? authenticate(request, parts_.identity) : Caller{};
    const api::Call call{caller.account, caller.session, request.client_address};
    if (row.is_query) return exchange->respond(run(request, row, arguments, call));
    slow_.run([this, exchange, &row, arguments, call] {
        respond(*exchange, [&] { return run(exchange->request, row, arguments, call); });
    });
}

Response RestEndpoint::run(const Request& request, const api::Row& row, const json& arguments, const api::Call& call) const {
    json answer = answer_now(row, arguments, parts_.references, call);
    return json_answer(200, schemas_.decorate(row, std::move(answer), wants_schema(request)));
}

Response RestEndpoint::submit(const Request& request, const api::Row& row, const json& arguments, const json& body) const {
    const JobRequest wanted = read_job_request(request);
    const milliseconds timeout = wanted.timeout.value_or(row.timeout);
    Caller caller;
    try {
        if (row.needs_session) caller = authenticate(request, parts_.identity);
    } catch (const Error& error) {
        if (info_of(error.code()).http_status != 503) throw;
        const std::string uuid = wanted.uuid.value_or(make_uuid());
        refused_.add(uuid, error);
        return accepted(request, uuid, timeout);
    }
    jobs::Submission submission;
    submission.row = &row;
    submission.arguments = arguments;
    submission.account = caller.account;
    if (wanted.uuid) submission.id = JobId(*wanted.uuid);
    submission.fingerprint = fingerprint_of(request, body);
    submission.webhook = wanted.webhook;
    submission.webhook_delay = wanted.webhook_delay;
    submission.timeout = wanted.timeout;
    submission.wants_schema = wanted.wants_schema;
    try {
        row.check(arguments);
    } catch (const Error& error) {
        submission.refused = error;  // SDKs read errors of jobs, not of a first answer
    }
    const std::string uuid = parts_.jobs.submit(std::move(submission)).str();
    log::info(
        "job accepted",
        {{"job", uuid}, {"operation", row.name}, {"request", request_id(request)}, {"client", request.client_address}});
    return accepted(request, uuid, timeout);
}

Response RestEndpoint::accepted(const Request& request, const std::string& uuid, milliseconds timeout) const {
    return json_answer(202, {{"location", job_location(request, uuid, own_port_)}, {"apiTimeout", timeout.count()}});
}

void RestEndpoint::handle_job(const std::shared_ptr<Exchange>& exchange, const std::string& uuid) const {
    const Request& request = exchange->request;
    if (is_get(request)) return exchange->respond(poll(request, uuid));
    if (request.method == "DELETE") return exchange->respond(cancel(request, uuid));
    throw Error(Code::wrong_method, "a job takes GET (its answer) and DELETE (cancel it), not " + request.method);
}

Response RestEndpoint::poll(const Request& request, const std::string& uuid) const {
    const auto job = parts_.jobs.find(JobId(uuid));
    if (!job) {
        const auto refused = refused_.find(uuid);
        if (!refused) return unknown_job(uuid);
        return json_answer(503, {{"error", api::to_json(*refused)}});
    }
    if (!job->is_finished()) {
        json body = {{"location", job_location(request, uuid, own_port_)}, {"progress", job->percent}};
        if (!job->progress_text.empty()) body["progressText"] = job->progress_text;
        return json_answer(202, body);
    }
    if (job->error) return json_answer(503, {{"error", *job->error}});
    const api::Row* row = parts_.catalog.find(job->operation);
    json result = job->result.is_object() ? job->result : json::object();
    if (row) result = schemas_.decorate(*row, std::move(result), job->wants_schema || wants_schema(request));
    return json_answer(200, result);
}

Response RestEndpoint::cancel(const Request& request, const std::string& uuid) const {
    authenticate(request, parts_.identity);
    switch (parts_.jobs.cancel(JobId(uuid))) {
        case jobs::Cancelled::ended: return json_answer(200, {{"cancelled", true}});
        case jobs::Cancelled::requested: return json_answer(200, {{"cancelled", false}, {"requested", true}});
        case jobs::Cancelled::finished_already:
            throw Error(Code::job_not_cancelable, "the job " + uuid + " has finished already");
        case jobs::Cancelled::unknown_job: break;
    }
    return unknown_job(uuid);
}

}  // namespace hvagent::http
