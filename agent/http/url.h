// Targets of requests: percent decoding, query strings, paths. Forgiving where real clients are careless: a '%' that is not
// followed by two hex digits stands for itself, and blanks may stand unescaped.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hvagent::http {

std::string percent_decode(std::string_view text, bool plus_is_blank);

struct Target {
    std::string_view path;   // "/zstack/v1//zones/", not decoded
    std::string_view query;  // without '?'
};
Target split_target(std::string_view target);

using Query = std::vector<std::pair<std::string, std::string>>;
// Names and values decoded, in order. Error(bad_request) when a text is not UTF-8.
Query parse_query(std::string_view query);

// The segments between slashes, decoded; empty ones (`//`, a trailing '/') are left out. Error(bad_request): not UTF-8.
std::vector<std::string> path_segments(std::string_view path);

bool equal_ignoring_case(std::string_view left, std::string_view right);
std::string to_lower(std::string_view text);
std::string trimmed(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace hvagent::http
