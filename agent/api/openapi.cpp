#include "agent/api/openapi.h"

#include <algorithm>
#include <map>

#include "agent/api/openapi_parts.h"

namespace hvagent::api {
namespace {

using openapi::reference;

// "/vm-instances/{uuid}/QoS" and "/vm-instances/{vmUuid}/qos" are one path to a client and to OpenAPI.
std::string shape_of(const std::string& path) {
    std::string shape;
    bool in_variable = false;
    for (char c : path) {
        if (c == '{') shape += "{}";
        in_variable = c == '{' || (in_variable && c != '}');
        if (!in_variable && c != '}') shape += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return shape;
}

std::vector<std::string> variables_of(const std::string& path) {
    std::vector<std::string> names;
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1))
        names.push_back(path.substr(at + 1, path.find('}', at) - at - 1));
    return names;
}

// Rows that share a path and a method.
struct Place {
    std::string path;  // as the first of them spells it
    Method method;
    std::vector<const Row*> rows;
};

std::vector<Place> places_of(const Catalog& catalog) {
    std::vector<Place> places;
    std::map<std::string, std::string> spelling;               // shape -> path
    std::map<std::pair<std::string, Method>, std::size_t> at;  // shape and method -> place
    for (const Row& row : catalog.rows())
        for (const std::string& path : row.paths) {
            const std::string shape = shape_of(path);
            const std::string& first = spelling.emplace(shape, path).first->second;
            const auto [known, is_new] = at.emplace(std::pair(shape, row.method), places.size());
            if (is_new) places.push_back({first, row.method, {}});
            auto& rows = places[known->second].rows;
            if (std::find(rows.begin(), rows.end(), &row) == rows.end()) rows.push_back(&row);
        }
    return places;
}

std::string verb_of(Method method) {
    switch (method) {
        case Method::get: return "get";
        case Method::post: return "post";
        case Method::put: return "put";
        case Method::del: return "delete";
    }
    return "";
}

std::string id_of_place(const Place& place) {
    std::string id = verb_of(place.method);
    for (char c : place.path) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return id;
}

json parameters_of(const Place& place) {
    json list = json::array();
    for (const std::string& name : variables_of(place.path)) {
        const Param* param = nullptr;
        for (const Row* row : place.rows)
            if (!param) param = row->find_param(name);
        json schema = {{"type", "string"}};
        if (param && place.rows.size() == 1) schema = param->schema;
        list.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", schema}});
        if (param && !param->doc.empty()) list.back()["description"] = param->doc;
    }
    const Row& row = *place.rows.front();
    const bool has_body = place.method == Method::post || place.method == Method::put;
    for (const Param& param : row.params)
        if (param.in != In::url && (!has_body || param.in == In::query)) list.push_back(openapi::query_parameter(param));
    for (const char* tags : {"systemTags", "userTags"})
        if (!has_body && row.takes_tags) list.push_back(openapi::tags_parameter(tags));
    for (const char* header : {"JobUuid", "ApiTimeout", "WebHook"})
        if (row.is_job) list.push_back(reference("parameters", header));
    if (!row.is_query) list.push_back(reference("parameters", "JsonSchema"));
    return list;
}

json request_body_of(const Place& place) {
    if (place.rows.size() == 1) {
        const json schema = openapi::body_schema(*place.rows.front(), false);
        return {{"required", schema.contains("required")}, {"content", openapi::json_content(schema)}};
    }
    json choices = json::array();
    for (const Row* row : place.rows) choices.push_back(openapi::body_schema(*row, true));
    return {{"required", true}, {"content", openapi::json_content({{"oneOf", choices}})}};
}

json responses_of(const Place& place) {
    json responses = {{"default", reference("responses", "Error")}};
    json results = json::array();
    for (const Row* row : place.rows) {
        if (row->is_job)
            responses["202"] = reference("responses", "JobAccepted");
        else
            results.push_back(reference("schemas", row->name + "Result"));
    }
    if (!results.empty())
        responses["200"] = {{"description", "the answer"},
                            {"content", openapi::json_content(results.size() == 1 ? results[0] : json{{"anyOf", results}})}};
    return responses;
}

json operation_of(const Place& place, std::map<std::string, int>& used_ids) {
    const bool is_shared = place.rows.size() > 1;
    const Row& first = *place.rows.front();
    std::string id = is_shared ? id_of_place(place) : first.name;
    if (const int uses = ++used_ids[id]; uses > 1) id += "_" + std::to_string(uses);
    json operation = {{"operationId", id},
                      {"tags", json::array({place.path.substr(1, place.path.find('/', 1) - 1)})},
                      {"summary", is_shared ? "One action of several, named by the key of the body" : first.summary},
                      {"parameters", parameters_of(place)},
                      {"responses", responses_of(place)}};
    if (place.method == Method::post || place.method == Method::put) operation["requestBody"] = request_body_of(place);
    const bool is_open =
        std::none_of(place.rows.begin(), place.rows.end(), [](const Row* row) { return row->needs_session; });
    if (is_open) operation["security"] = json::array();
    if (!is_shared) {
        operation["x-hvagent-operation"] = first.name;
        operation["x-hvagent-job"] = first.is_job;
        operation["x-hvagent-body-key"] = first.body_key;
        if (first.is_job) operation["callbacks"] = openapi::webhook_of(first);
    }
    for (const Row* row : place.rows) operation["x-hvagent-operations"].push_back(openapi::description_of(*row));
    return operation;
}

}  // namespace

json make_openapi(const Catalog& catalog, const std::vector<ResourceShape>& shapes, const std::string& version) {
    json paths = openapi::fixed_paths();
    paths.update(openapi::own_paths());
    std::map<std::string, int> used_ids;
    for (const Place& place : places_of(catalog)) paths[place.path][verb_of(place.method)] = operation_of(place, used_ids);
    json components = openapi::fixed_components();
    for (const ResourceShape& shape : shapes) components["schemas"][shape.resource] = openapi::resource_schema(shape);
    for (const Row& row : catalog.rows()) components["schemas"][row.name + "Result"] = openapi::result_schema(row);
    return {
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "hvagent"}, {"version", version}, {"description", "The REST contract of a ZStack, for one KVM host."}}},
        {"servers", json::array({{{"url", "/zstack/v1"}}, {{"url", "/v1"}}})},
        {"security", json::array({{{"session", json::array()}}, {{"accessKey", json::array()}}})},
        {"paths", paths},
        {"components", components}};
}

}  // namespace hvagent::api
