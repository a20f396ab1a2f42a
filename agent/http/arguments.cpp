#include "agent/http/arguments.h"

#include <algorithm>

namespace hvagent::http {
namespace {

constexpr int deepest_nesting = 32;

// The row's own spelling of a parameter, tags and refused parameters included; empty when it has none of this name.
std::string known_name(const api::Row& row, std::string_view name) {
    for (const char* tags : {"systemTags", "userTags"})
        if (equal_ignoring_case(name, tags)) return tags;
    const api::Param* similar = nullptr;
    for (const api::Param& param : row.params) {
        if (param.name == name) return param.name;
        if (!similar && equal_ignoring_case(param.name, name)) similar = &param;
    }
    if (similar) return similar->name;
    for (const auto& [refused, why] : row.refused)
        if (equal_ignoring_case(refused, name)) return refused;
    return "";
}

std::string type_of(const api::Row& row, const std::string& name) {
    const api::Param* param = row.find_param(name);
    return param ? param->schema.value("type", "") : name.ends_with("Tags") ? "array" : "";
}

void append(json& into, std::string value) {
    if (into.is_null())
        into = std::move(value);
    else if (into.is_array())
        into.push_back(std::move(value));
    else
        into = json::array({std::move(into), std::move(value)});
}

// "['a', 'b']": how the Python SDK writes a list into a URL.
bool append_python_list(json& into, const std::string& text) {
    if (!text.starts_with("[") || !text.ends_with("]")) return false;
    json list = json::array();
    for (std::size_t at = 1; at + 1 < text.size();) {
        const auto begin = text.find_first_of("'\"", at);
        if (begin == std::string::npos) break;
        const auto end = text.find(text[begin], begin + 1);
        if (end == std::string::npos) return false;
        list.push_back(text.substr(begin + 1, end - begin - 1));
        at = end + 1;
    }
    into = std::move(list);
    return true;
}

void add_from_query(const api::Row& row, json& arguments, const std::string& name, const std::string& value) {
    if (const std::string known = known_name(row, name); !known.empty()) {
        json& slot = arguments[known];
        if (type_of(row, known) != "array" || !append_python_list(slot, value)) append(slot, value);
        return;
    }
    const auto dot = name.find('.');
    if (dot == std::string::npos) return;
    const std::string known = known_name(row, name.substr(0, dot));
    if (known.empty()) return;
    const std::string rest = name.substr(dot + 1);
    const std::string type = type_of(row, known);
    json& slot = arguments[known];
    if (type == "array" && !rest.empty() && rest.find_first_not_of("0123456789") == std::string::npos)
        append(slot, value);
    else if (type == "object" && (slot.is_null() || slot.is_object()))
        append(slot[rest], value);
    if (slot.is_null()) arguments.erase(known);
}

bool reads_body(const api::Row& row) {
    return row.method == api::Method::post || row.method == api::Method::put;
}

}  // namespace

json parse_body(const std::string& text) {
    if (trimmed(text).empty()) return nullptr;
    const auto limit_depth = [](int depth, json::parse_event_t, json&) {
        if (depth > deepest_nesting)
            throw Error(Code::bad_request,
                        "the JSON of the body is nested deeper than " + std::to_string(deepest_nesting) + " levels");
        return true;
    };
    json body;
    try {
        body = json::parse(text, limit_depth);
    } catch (const json::parse_error& error) {
        throw Error(Code::bad_request, "the body is not JSON: malformed at byte " + std::to_string(error.byte));
    } catch (const json::out_of_range&) {
        throw Error(Code::bad_request, "the body has a number that no one can hold, like 1e999");
    }
    if (!body.is_object() && !body.is_null())
        throw Error(Code::bad_request, std::string("the body must be a JSON object, but is a JSON ") + body.type_name());
    return body;
}

json known_fields(const api::Row& row, const json& fields) {
    json out = json::object();
    if (!fields.is_object()) return out;
    for (const auto& [name, value] : fields.items())
        if (const std::string known = known_name(row, name); !known.empty() && (known == name || !fields.contains(known)))
            out[known] = value;
    return out;
}

json gather_arguments(const Choice& choice, const json& body, const Query& query) {
    const api::Row& row = *choice.candidate.row;
    json arguments = choice.fields ? known_fields(row, *choice.fields) : json::object();
    if (body.is_object())
        for (const char* tags : {"systemTags", "userTags"})
            if (const auto found = body.find(tags); found != body.end() && !found->is_null()) arguments[tags] = *found;
    json from_query = json::object();
    for (const auto& [name, value] : query) {
        const api::Param* param = row.find_param(name);
        if (!reads_body(row) || (param && param->in == api::In::query)) add_from_query(row, from_query, name, value);
    }
    arguments.update(from_query);
    for (const auto& [name, value] : choice.candidate.path_values) arguments[name] = value;
    return arguments;
}

}  // namespace hvagent::http
