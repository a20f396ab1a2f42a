#include "agent/cli/command_line.h"

#include <cctype>
#include <map>
#include <stdexcept>

namespace hvagent::cli {
namespace {

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error(text);
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t from = 0;;) {
        const std::size_t comma = text.find(',', from);
        parts.push_back(text.substr(from, comma - from));
        if (comma == std::string::npos) return parts;
        from = comma + 1;
    }
}

bool is_condition(const CliOperation& operation, const std::string& word) {
    const std::size_t end = word.find_first_of("=!<>~? ");
    if (end == std::string::npos) fail("\"" + word + "\" is neither key=value nor a condition");
    if (word[end] != '=') return true;
    const std::string key = word.substr(0, end);
    const CliParam* param = operation.find_param(key);
    return !param || param->in == "url";
}

json typed(const CliParam& param, const std::string& text) {
    const std::string type = param.type();
    if (type == "integer" || type == "number" || type == "boolean" || type == "object" || !param.schema.contains("type")) {
        json value = json::parse(text, nullptr, false);
        if (!value.is_discarded()) return value;
        if (type == "object") fail("parameter '" + param.name + "' must be JSON, like {\"key\":\"value\"}");
    }
    return text;  // the daemon says what it expected
}

json collect(const CliParam& param, const std::vector<std::string>& texts) {
    if (param.type() != "array") {
        if (texts.size() > 1) fail("parameter '" + param.name + "' stands twice");
        return typed(param, texts.front());
    }
    CliParam item = param;
    item.schema = param.schema.value("items", json::object());
    json list = json::array();
    for (const std::string& text : texts) {
        const json whole = text.starts_with("[") ? json::parse(text, nullptr, false) : json();
        if (whole.is_array())
            list.insert(list.end(), whole.begin(), whole.end());
        else
            for (const std::string& part : split(text)) list.push_back(typed(item, part));
    }
    return list;
}

void add_query(std::string& target, const std::string& key, const std::string& value) {
    target += (target.find('?') == std::string::npos ? "?" : "&") + key + "=" + percent_encode(value);
}

void put_in_url(std::string& path, const std::string& name, const std::string& value) {
    const std::string variable = "{" + name + "}";
    const std::size_t at = path.find(variable);
    if (at != std::string::npos) path.replace(at, variable.size(), percent_encode(value));
}

}  // namespace

std::string percent_encode(const std::string& text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (unsigned char c : text) {
        if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            out += static_cast<char>(c);
        else
            out += {'%', hex[c >> 4], hex[c & 15]};
    }
    return out;
}

HttpRequest make_request(const CliOperation& operation, const std::vector<std::string>& words) {
    const bool is_query = !operation.query_resource.empty();
    std::map<std::string, std::vector<std::string>> given;
    HttpRequest request{operation.method, operation.path, json()};
    std::vector<std::string> conditions;
    for (const std::string& word : words) {
        if (is_query && is_condition(operation, word)) {
            conditions.push_back(word);
            continue;
        }
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) fail("\"" + word + "\" is not key=value");
        const std::string key = word.substr(0, equals);
        if (!operation.find_param(key))
            fail(operation.name + " has no parameter '" + key + "'; `hvctl help " + operation.name + "` lists them");
        given[key].push_back(word.substr(equals + 1));
    }
    json body = json::object();
    for (const CliParam& param : operation.params) {
        const auto found = given.find(param.name);
        if (found == given.end()) {
            if (param.required) fail("parameter '" + param.name + "' is required: " + param.doc);
            continue;
        }
        if (param.in == "url") {
            put_in_url(request.target, param.name, found->second.front());
        } else if (param.in == "body") {
            body[param.name] = collect(param, found->second);
        }
    }
    for (const auto& [name, texts] : given)
        if (operation.find_param(name)->in == "query")
            for (const std::string& text : texts)
                for (const std::string& part : operation.find_param(name)->type() == "array" && !is_query
                                                   ? split(text)
                                                   : std::vector<std::string>{text})
                    add_query(request.target, name, part);
    for (const std::string& condition : conditions) add_query(request.target, "q", condition);
    if (!operation.body_key.empty()) request.body = {{operation.body_key, body}};
    return request;
}

}  // namespace hvagent::cli
