#include "agent/operations/jobs/api.h"

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/inventory/list_query.h"

namespace hvagent::operations {
namespace {

using api::Call;
using api::FieldType;
using api::In;
using api::json;
using api::Method;
using api::Operation;
using api::QueryRequest;
using api::ResourceShape;
using api::Row;
using api::ShapeField;
using jobs::JobEngine;
using jobs::JobStatus;
using Engine = std::function<JobEngine&()>;

struct OfJob {
    std::string uuid;
};
struct OfTask {
    std::string api_id;
    bool all = false;
};

ShapeField text(std::string name, std::string doc, bool always = true) {
    return {std::move(name), FieldType::text, {}, true, always, std::move(doc)};
}

const ResourceShape& long_job_shape() {
    static const ResourceShape shape{
        "LongJob",
        "org.zstack.header.longjob.LongJobInventory",
        "",
        {text("uuid", "X-Job-UUID of the call"),
         text("name", "the operation"),
         text("apiId", "the same as uuid"),
         text("jobName", "the operation"),
         text("jobData", "its arguments as JSON, secrets masked", false),
         text("jobResult", "its answer as JSON, once it is finished", false),
         {"state", FieldType::text, {"Waiting", "Running", "Succeeded", "Canceled", "Failed"}, true, true, ""},
         text("targetResourceUuid", "what it works on", false),
         text("accountUuid", "who asked; absent for the agent's own", false),
         {"progress", FieldType::integer, {}, true, true, "percent done"},
         text("progressText", "what it does now", false),
         {"createDate", FieldType::time, {}, true, true, ""},
         {"lastOpDate", FieldType::time, {}, true, true, ""}},
        {},
        {},
        {}};
    return shape;
}

const ResourceShape& task_progress_shape() {
    static const ResourceShape shape{"TaskProgress",
                                     "org.zstack.header.core.progress.TaskProgressInventory",
                                     "",
                                     {text("taskUuid", "the job"),
                                      text("taskName", "what it does now"),
                                      text("type", "Progress"),
                                      text("content", "percent done"),
                                      {"time", FieldType::integer, {}, true, true, "when it was read, ms since 1970"}},
                                     {},
                                     {},
                                     {}};
    return shape;
}

std::string state_of(const JobStatus& job) {
    switch (job.state) {
        case JobStatus::waiting: return "Waiting";
        case JobStatus::running: return "Running";
        case JobStatus::succeeded: return "Succeeded";
        case JobStatus::failed: break;
    }
    const std::string code = job.error ? job.error->value("code", "") : "";
    return code == info_of(Code::job_cancelled).wire ? "Canceled" : "Failed";
}

json record_of(const JobStatus& job) {
    const std::int64_t created = to_unix_ms(job.created);
    json record = {{"uuid", job.id.str()},   {"name", job.operation},
                   {"apiId", job.id.str()},  {"jobName", job.operation},
                   {"state", state_of(job)}, {"progress", job.percent},
                   {"createDate", created},  {"lastOpDate", job.finished ? to_unix_ms(*job.finished) : created}};
    if (job.arguments.is_object()) {
        record["jobData"] = job.arguments.dump();
        if (const auto uuid = job.arguments.find("uuid"); uuid != job.arguments.end() && uuid->is_string())
            record["targetResourceUuid"] = *uuid;
    }
    if (job.is_finished()) record["jobResult"] = job.body().dump();
    if (!job.account.empty()) record["accountUuid"] = job.account;
    if (!job.progress_text.empty()) record["progressText"] = job.progress_text;
    return record;
}

// Jobs can be many: unless all must be looked at, only the page that was asked for is read.
json query_jobs(const JobEngine& engine, QueryRequest request) {
    std::vector<json> records;
    if (!request.uuid.empty()) {
        if (const auto job = engine.find(JobId(request.uuid))) records.push_back(record_of(*job));
        return inventory::query_list(long_job_shape(), std::move(records), request);
    }
    const bool needs_all = !request.conditions.empty() || !request.condition_aliases.empty() || !request.sort.empty() ||
                           request.count || request.reply_with_count || !request.group_by.empty();
    jobs::ListFilter filter;
    filter.start = needs_all ? 0 : static_cast<std::size_t>(request.start);
    filter.limit = needs_all ? INT32_MAX : static_cast<std::size_t>(request.limit);
    if (!needs_all) request.start = 0;
    for (const JobStatus& job : engine.list(filter)) records.push_back(record_of(job));
    return inventory::query_list(long_job_shape(), std::move(records), request);
}

json cancel_job(JobEngine& engine, const std::string& uuid) {
    switch (engine.cancel(JobId(uuid))) {
        case jobs::Cancelled::unknown_job:
            throw Error(Code::not_found, "parameter 'uuid': there is no job with uuid \"" + uuid + "\"");
        case jobs::Cancelled::finished_already:
            throw Error(Code::job_not_cancelable, "the job " + uuid + " has finished already");
        case jobs::Cancelled::ended:
        case jobs::Cancelled::requested: break;
    }
    const auto job = engine.find(JobId(uuid));
    if (!job) return json::object();
    return {{"inventory", inventory::view_of(long_job_shape(), record_of(*job))}};
}

// Answers at once: as a job it would wait behind those it should end.
Row cancel_long_job(const Engine& engine) {
    return Operation<OfJob>{"CancelLongJob", Method::put, "/longjobs/{uuid}/actions", "Cancel a job"}
        .action("cancelLongJob")
        .required(In::url, "uuid", &OfJob::uuid, "the job")
        .returns("inventory", "LongJob")
        .answers([engine](const Call&, const OfJob& params) { return cancel_job(engine(), params.uuid); });
}

Row query_long_job(const Engine& engine) {
    return api::query_operation(
        "QueryLongJob", "LongJob", "/longjobs", "Find jobs, the latest first",
        [engine](const std::string&, const QueryRequest& request) { return query_jobs(engine(), request); });
}

Row get_task_progress(const Engine& engine, const Clock& clock) {
    return Operation<OfTask>{"GetTaskProgress", Method::get, "/task-progresses/{apiId}", "How far a job is"}
        .required(In::url, "apiId", &OfTask::api_id, "the job")
        .optional(In::query, "all", &OfTask::all, "earlier steps too; there is always only the latest")
        .returns_list("inventories", "TaskProgress")
        .answers([engine, &clock](const Call&, const OfTask& params) -> json {
            const auto job = engine().find(JobId(params.api_id));
            if (!job) throw Error(Code::no_progress, "there is no job with uuid \"" + params.api_id + "\"");
            const int percent = job->state == JobStatus::succeeded ? 100 : job->percent;
            const json progress = {{"taskUuid", job->id.str()},
                                   {"taskName", job->progress_text.empty() ? job->operation : job->progress_text},
                                   {"type", "Progress"},
                                   {"content", std::to_string(percent)},
                                   {"time", to_unix_ms(clock.now())}};
            return {{"inventories", json::array({progress})}};
        });
}

}  // namespace

api::Table jobs_api(Engine engine, const Clock& clock) {
    return {cancel_long_job(engine), query_long_job(engine), get_task_progress(engine, clock)};
}

std::vector<ResourceShape> job_shapes() {
    return {long_job_shape(), task_progress_shape()};
}

}  // namespace hvagent::operations
