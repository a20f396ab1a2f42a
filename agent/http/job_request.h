// What the headers of a request ask of its job (rest-conventions, section 3).
#pragma once
#include <optional>
#include <string>

#include "agent/http/transport/message.h"
#include "hvagent/clock.h"

namespace hvagent::http {

struct JobRequest {
    std::optional<std::string> uuid;      // X-Job-UUID
    std::optional<milliseconds> timeout;  // X-API-Timeout
    std::string webhook;                  // X-Web-Hook
    milliseconds webhook_delay{0};
    bool wants_schema = false;  // X-JSON-Schema
};

// Error(bad_request) names the header.
JobRequest read_job_request(const Request& request);
bool wants_schema(const Request& request);

}  // namespace hvagent::http
