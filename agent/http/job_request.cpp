#include "agent/http/job_request.h"

#include <algorithm>
#include <charconv>

#include "agent/http/url.h"
#include "hvagent/error.h"

namespace hvagent::http {
namespace {

constexpr std::size_t longest_webhook = 2048;
constexpr std::int64_t longest_timeout_s = 366LL * 24 * 3600;
// The Java SDK loses a callback that comes before its caller has begun to wait for it, and then sleeps for hours.
constexpr milliseconds java_webhook_delay{500};

std::string read_uuid(const std::string& text) {
    const bool is_hex = std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
    if (text.size() != 32 || !is_hex)
        throw Error(Code::bad_request, "the header 'X-Job-UUID' must be a uuid of 32 hex digits without dashes");
    return text;
}

milliseconds read_timeout(const std::string& text) {
    std::int64_t value = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || stop != text.data() + text.size() || value <= 0 || value > longest_timeout_s)
        throw Error(Code::bad_request, "the header 'X-API-Timeout' must be a number of seconds above 0");
    return seconds(value);
}

std::string read_webhook(const std::string& text) {
    const std::string lower = to_lower(text.substr(0, 8));
    const std::size_t scheme = lower.starts_with("http://") ? 7 : lower.starts_with("https://") ? 8 : 0;
    const bool has_host = text.size() > scheme && text[scheme] != '/' && text[scheme] != ':';
    if (scheme == 0 || !has_host || text.size() > longest_webhook || text.find(' ') != std::string::npos)
        throw Error(Code::bad_request, "the header 'X-Web-Hook' must be an http:// or https:// URL");
    return text;
}

}  // namespace

bool wants_schema(const Request& request) {
    return request.find_header("x-json-schema") != nullptr;
}

JobRequest read_job_request(const Request& request) {
    JobRequest wanted;
    if (const std::string* uuid = request.find_header("x-job-uuid")) wanted.uuid = read_uuid(*uuid);
    if (const std::string* timeout = request.find_header("x-api-timeout")) wanted.timeout = read_timeout(*timeout);
    if (const std::string* webhook = request.find_header("x-web-hook"); webhook && !webhook->empty())
        wanted.webhook = read_webhook(*webhook);
    if (request.header("user-agent").starts_with("okhttp/")) wanted.webhook_delay = java_webhook_delay;
    wanted.wants_schema = wants_schema(request);
    return wanted;
}

}  // namespace hvagent::http
