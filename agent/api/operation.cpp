#include "agent/api/operation.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "agent/api/query_request.h"

namespace hvagent::api {
namespace {

std::string shown(const json& value) {
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    return text;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

[[noreturn]] void refuse(const std::string& name, const std::string& expected, const json& value) {
    throw Error(Code::invalid_argument, "parameter '" + name + "' " + expected + ", but is " + shown(value));
}

std::size_t count_characters(const std::string& utf8) {
    std::size_t count = 0;
    for (char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

bool has_control_characters(const std::string& text, bool multi_line) {
    for (char c : text) {
        if (multi_line && (c == '\n' || c == '\t' || c == '\r')) continue;
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
    }
    return false;
}

void check_text(const Param& param, const json& schema, const json& given) {
    const std::string text = given.get<std::string>();
    const json value = param.secret ? json("******") : given;  // for messages
    if (schema.contains("maxLength") && count_characters(text) > schema["maxLength"].get<std::size_t>())
        refuse(param.name, "must have at most " + schema["maxLength"].dump() + " characters", value);
    if (schema.contains("minLength") && text.empty()) refuse(param.name, "must not be empty", value);
    if (has_control_characters(text, !schema.value("x-hvagent-name", false)))
        refuse(param.name, "must not contain control characters", value);
    if (schema.value("x-hvagent-name", false) && text.find_first_of("<>") != std::string::npos)
        refuse(param.name, "must not contain '<' or '>'", value);
    if (!schema.contains("enum")) return;
    for (const json& allowed : schema["enum"])
        if (allowed == given) return;
    std::string list;
    for (const json& allowed : schema["enum"]) list += (list.empty() ? "" : ", ") + allowed.get<std::string>();
    refuse(param.name, "must be one of " + list, value);
}

void check_number(const Param& param, const json& schema, const json& value) {
    const std::int64_t number = value.get<std::int64_t>();
    const std::int64_t lowest = schema.value("minimum", INT64_MIN);
    const std::int64_t highest = schema.value("maximum", INT64_MAX);
    if (number >= lowest && number <= highest) return;
    if (highest == INT64_MAX) refuse(param.name, "must be at least " + std::to_string(lowest), value);
    refuse(param.name, "must be between " + std::to_string(lowest) + " and " + std::to_string(highest), value);
}

void check_value(const Param& param, const json& schema, const json& value) {
    if (value.is_array()) {
        if (schema.contains("minItems") && value.empty()) refuse(param.name, "must not be empty", value);
        if (schema.contains("items"))
            for (const json& item : value) check_value(param, schema["items"], item);
    } else if (value.is_string()) {
        check_text(param, schema, value);
        if (param.is_new_id && !is_resource_uuid(value.get<std::string>()))
            refuse(param.name, "must be an RFC 4122 uuid of 32 lower-case hex digits without dashes", value);
    } else if (value.is_number_integer()) {
        check_number(param, schema, value);
    }
}

bool is_nothing(const json& value) {
    return value.is_null() || (value.is_array() && value.empty()) || (value.is_string() && value.get<std::string>().empty());
}

// Generated clients (Go) send every optional field, unset ones as "" or 0: such a value of an id, an enum, a text that must
// not be empty, a number that must be positive, or a list means "not given".
bool is_zero_value(const Param& param, const json& value) {
    const json& schema = param.schema;
    const bool is_choice = schema.contains("enum") || schema.contains("pattern") || schema.contains("minLength") ||
                           schema.value("type", "") != "string";
    const bool is_element = schema.contains("items") && schema["items"].contains("minLength");
    if (value.is_string() && value.get<std::string>().empty()) return is_choice && !is_element;
    if (value.is_number()) return value == 0 && schema.value("minimum", 0) > 0;
    return false;
}

}  // namespace

void refuse_type(std::string_view name, std::string_view expected, const json& value) {
    throw Error(Code::bad_request,
                "parameter '" + std::string(name) + "' must be " + std::string(expected) + ", but is " + shown(value));
}

std::int64_t parse_integer(const json& value, std::string_view name) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        refuse_type(name, "a 64-bit integer", value);
    if (value.is_number_integer()) return value.get<std::int64_t>();
    double real = 0;
    if (value.is_number_float()) {
        real = value.get<double>();
    } else if (value.is_string()) {
        const std::string text = trimmed(value.get<std::string>());
        char* end = nullptr;
        errno = 0;
        const long long whole = std::strtoll(text.c_str(), &end, 10);
        if (!text.empty() && *end == 0 && errno == 0) return whole;
        real = std::strtod(text.c_str(), &end);
        if (text.empty() || *end != 0) refuse_type(name, "an integer", value);
    } else {
        refuse_type(name, "an integer", value);
    }
    if (!(real >= -9007199254740992.0 && real <= 9007199254740992.0) ||
        real != static_cast<double>(static_cast<std::int64_t>(real)))
        refuse_type(name, "an integer", value);
    return static_cast<std::int64_t>(real);
}

double parse_real(const json& value, std::string_view name) {
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) {
        const std::string text = trimmed(value.get<std::string>());
        char* end = nullptr;
        const double real = std::strtod(text.c_str(), &end);
        if (!text.empty() && *end == 0) return real;
    }
    refuse_type(name, "a number", value);
}

bool parse_boolean(const json& value, std::string_view name) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_string()) {
        const std::string text = trimmed(value.get<std::string>());
        if (strcasecmp(text.c_str(), "true") == 0) return true;
        if (strcasecmp(text.c_str(), "false") == 0) return false;
    }
    refuse_type(name, "true or false", value);
}

std::string parse_string(const json& value, std::string_view name) {
    if (value.is_string()) return value.get<std::string>();
    // Clients with loose types send 5 for "5".
    if (value.is_number_integer() || value.is_boolean()) return value.dump();
    refuse_type(name, "a text", value);
}

std::string queue_name(std::string_view resource, const std::string& uuid) {
    return std::string(resource) + ":" + uuid;
}

json accept_arguments(const Row& row, const json& arguments,
                      const std::function<json(const std::string&, const json&)>& canonical) {
    json out = json::object();
    for (const Param& param : row.params) {
        const auto found = arguments.find(param.name);
        if (found == arguments.end() || found->is_null()) {
            if (param.is_new_id) out[param.name] = make_uuid();
            continue;
        }
        const bool wants_list = param.schema.value("type", "") == "array";
        const bool wants_anything = !param.schema.contains("type");
        json value = *found;
        if (value.is_array() && !wants_list && !wants_anything) {
            if (!row.is_query || value.empty()) refuse_type(param.name, "one value, not a list", value);
            value = value.front();
        }
        if (value.is_string() && param.trims) value = trimmed(value.get<std::string>());
        if (!param.required && is_zero_value(param, value)) {
            if (param.is_new_id) out[param.name] = make_uuid();
            continue;
        }
        out[param.name] = canonical(param.name, value);
    }
    for (const char* tags : {"systemTags", "userTags"})
        if (const auto found = arguments.find(tags); found != arguments.end() && !is_nothing(*found))
            out[tags] = canonical(tags, *found);
    for (const auto& [name, why] : row.refused)
        if (const auto found = arguments.find(name);
            found != arguments.end() && !is_nothing(*found) && *found != false && *found != 0)
            out[name] = *found;
    return out;
}

void check_arguments(const Row& row, const json& arguments) {
    for (const auto& [name, why] : row.refused)
        if (arguments.contains(name))
            throw Error(Code::invalid_argument, "parameter '" + name + "' is not supported: " + why);
    if (!row.takes_tags)
        for (const char* tags : {"systemTags", "userTags"})
            if (arguments.contains(tags))
                throw Error(Code::invalid_argument, std::string("parameter '") + tags + "' is not supported: " + row.name +
                                                        " creates nothing to tag");
    for (const Param& param : row.params) {
        const auto found = arguments.find(param.name);
        if (found == arguments.end()) {
            if (param.required)
                throw Error(Code::invalid_argument, "parameter '" + param.name + "' is required: " + param.doc);
            continue;
        }
        if (param.required && is_nothing(*found) && !param.secret) refuse(param.name, "must not be empty", *found);
        check_value(param, param.schema, *found);
    }
}

Row query_operation(std::string name, std::string resource, std::string path, std::string summary,
                    std::function<json(const std::string&, const QueryRequest&)> run, bool single) {
    Operation<QueryRequest> declaration{std::move(name), Method::get, path, std::move(summary)};
    if (single) {
        declaration.also_at(path + "/{uuid}");
        declaration.optional(In::url, "uuid", &QueryRequest::uuid, "answer with this one; other parameters are ignored");
    }
    declaration
        .optional(In::query, "q", &QueryRequest::conditions,
                  "condition <field><operator><value>, repeatable, all must hold; operators = != > < >= <= ?= !?= ~= !~= "
                  "'is null' 'not null'")
        .elements_not_empty()
        .optional(In::query, "condition", &QueryRequest::condition_aliases, "the same as q")
        .elements_not_empty()
        .optional(In::query, "limit", &QueryRequest::limit, "at most so many records")
        .range(0, INT32_MAX)
        .optional(In::query, "start", &QueryRequest::start, "skip so many records")
        .range(0, INT32_MAX)
        .optional(In::query, "count", &QueryRequest::count, "answer only the number of records")
        .optional(In::query, "replyWithCount", &QueryRequest::reply_with_count, "answer the number of records too")
        .optional(In::query, "sort", &QueryRequest::sort, "field to sort by, with + (ascending) or - in front")
        .optional(In::query, "fields", &QueryRequest::fields, "comma list of fields to answer")
        .optional(In::query, "groupBy", &QueryRequest::group_by, "one record per value of this field");
    declaration.returns_list("inventories", resource);
    declaration.returns_value("total", {{"type", "integer"}}, false);
    return declaration.is_query().answers(
        [run, resource](const Call&, const QueryRequest& request) { return run(resource, request); });
}

}  // namespace hvagent::api
