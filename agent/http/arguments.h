// The arguments of an operation, gathered from where clients put them: URL, query string, body (rest-conventions, section
// 7).
#pragma once
#include <string>

#include "agent/api/row.h"
#include "agent/http/router.h"
#include "agent/http/url.h"

namespace hvagent::http {

// The body as JSON: null when there is none. Error(bad_request) names the position of what is malformed, or says that it is
// not an object or nested too deeply.
json parse_body(const std::string& text);

// Parameter -> value as it was sent: texts and lists of texts from the URL, anything from the body.
json gather_arguments(const Choice& choice, const json& body, const Query& query);

// The members of `fields` that are parameters of the row; names match without regard to case.
json known_fields(const api::Row& row, const json& fields);

}  // namespace hvagent::http
