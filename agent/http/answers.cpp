#include "agent/http/answers.h"

#include <algorithm>

#include "agent/api/row.h"

namespace hvagent::http {
namespace {

using nlohmann::json;

bool is_host(std::string_view text) {
    return !text.empty() && text.size() < 300 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) || std::string_view(".-_:[]").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

Code code_of(int status) {
    if (status == 413) return Code::body_too_large;
    if (status == 503) return Code::not_ready;
    return status >= 500 ? Code::internal : Code::bad_request;
}

}  // namespace

Response json_answer(int status, const json& body) {
    Response response;
    response.status = status;
    // Texts from outside (a guest, a tool) may not be UTF-8; an answer always is.
    response.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return response;
}

Response error_answer(const Error& error) {
    return json_answer(info_of(error.code()).http_status, {{"error", api::to_json(error)}});
}

Response refusal_answer(int status, const std::string& because) {
    Response response = error_answer(Error(code_of(status), because));
    response.status = status;
    response.close = true;
    return response;
}

std::string job_location(const Request& request, const std::string& uuid, int own_port) {
    const std::string sent = request.header("host");
    const std::string host = is_host(sent) ? sent : "127.0.0.1:" + std::to_string(own_port);
    return (request.over_tls ? "https://" : "http://") + host + "/zstack/v1/api-jobs/" + uuid;
}

}  // namespace hvagent::http
