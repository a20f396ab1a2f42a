// What the user typed, and the HTTP request it means.
#pragma once
#include <string>
#include <vector>

#include "agent/cli/catalog.h"

namespace hvagent::cli {

struct HttpRequest {
    std::string method;
    std::string target;  // path and query string, behind /zstack/v1
    json body;           // null: none
};

// `words`: key=value pairs, for queries also conditions such as name~=web-%. A key given twice, or a value with commas for
// a list parameter, makes a list; values of maps and objects are JSON. std::runtime_error names what is wrong or missing.
HttpRequest make_request(const CliOperation& operation, const std::vector<std::string>& words);

std::string percent_encode(const std::string& text);

}  // namespace hvagent::cli
