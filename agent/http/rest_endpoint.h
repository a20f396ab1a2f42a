// The REST contract below /zstack/v1 and /v1: finds the row, gathers its arguments, answers at once or with a job.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "agent/api/schema.h"
#include "agent/http/authentication.h"
#include "agent/http/job_request.h"
#include "agent/http/refused_jobs.h"
#include "agent/http/router.h"
#include "agent/http/server.h"
#include "agent/http/transport/message.h"
#include "agent/http/transport/worker_pool.h"
#include "agent/jobs/engine.h"

namespace hvagent::http {

// Runs a row that answers at once, with everything that stands before its handler. `arguments`: canonical, from row.accept.
// Throws Error as the contract nests it.
json answer_now(const api::Row& row, const json& arguments, const api::References& references, const api::Call& call);

// Thread-safe.
class RestEndpoint {
public:
    // `slow`: where operations run that ask libvirt or a guest before they answer. `submissions`: where jobs are written to
    // the disk. Queries and polls need neither and wait for none of them.
    RestEndpoint(const HttpParts& parts, const api::SchemaBuilder& schemas, RefusedJobs& refused, WorkerPool& slow,
                 WorkerPool& submissions, int own_port)
        : parts_(parts),
          schemas_(schemas),
          refused_(refused),
          slow_(slow),
          submissions_(submissions),
          own_port_(own_port),
          router_(parts.catalog) {}

    // `segments`: the path after the prefix. Throws Error for what becomes an error answer.
    void handle(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const;

private:
    Response submit(const Request& request, const api::Row& row, const json& arguments, const json& body) const;
    Response run(const Request& request, const api::Row& row, const json& arguments, const api::Call& call) const;
    Response accepted(const Request& request, const std::string& uuid, milliseconds timeout) const;
    void handle_job(const std::shared_ptr<Exchange>& exchange, const std::string& uuid) const;
    Response poll(const Request& request, const std::string& uuid) const;
    Response cancel(const Request& request, const std::string& uuid) const;

    const HttpParts& parts_;
    const api::SchemaBuilder& schemas_;
    RefusedJobs& refused_;
    WorkerPool& slow_;
    WorkerPool& submissions_;
    const int own_port_;
    const Router router_;
};

}  // namespace hvagent::http
