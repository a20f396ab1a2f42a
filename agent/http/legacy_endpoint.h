// The endpoint of the Python binding and zstack-cli: messages instead of resources, always answered with 200
// (POST /zstack/api, GET /zstack/api/result/<uuid>).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "agent/http/refused_jobs.h"
#include "agent/http/server.h"
#include "agent/http/transport/message.h"
#include "agent/http/transport/worker_pool.h"
#include "agent/jobs/engine.h"

namespace hvagent::http {

// Thread-safe.
class LegacyEndpoint {
public:
    LegacyEndpoint(const HttpParts& parts, RefusedJobs& refused, WorkerPool& slow)
        : parts_(parts), refused_(refused), slow_(slow) {}

    // `segments`: the path after /zstack/api.
    void handle(const std::shared_ptr<Exchange>& exchange, const std::vector<std::string>& segments) const;

private:
    struct Message;
    Message read_message(const Request& request) const;
    Response call(const Request& request, const Message& message) const;
    Response submit(const Message& message) const;
    Response poll(const std::string& uuid) const;

    const HttpParts& parts_;
    RefusedJobs& refused_;
    WorkerPool& slow_;
};

}  // namespace hvagent::http
