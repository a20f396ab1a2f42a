// The bodies of answers.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "agent/http/transport/message.h"
#include "hvagent/error.h"

namespace hvagent::http {

Response json_answer(int status, const nlohmann::json& body);
// {"error": {...}}, and nothing beside it: Go's clients look for exactly one key.
Response error_answer(const Error& error);
// What the transport refuses before it is a request.
Response refusal_answer(int status, const std::string& because);

// "http://10.0.0.5:8080/zstack/v1/api-jobs/<uuid>". Clients use it as it is, cut the uuid off its end, or look for
// "/zstack/v1/api-jobs" in it.
std::string job_location(const Request& request, const std::string& uuid, int own_port);

}  // namespace hvagent::http
