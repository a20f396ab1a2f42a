#include "agent/api/openapi_parts.h"

#include <algorithm>

namespace hvagent::api::openapi {
namespace {

constexpr const char* date_pattern = "^[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AP]M$";

json text_list() {
    return {{"type", "array"}, {"items", {{"type", "string"}}}};
}

json described(json schema, const std::string& doc) {
    if (!doc.empty()) schema["description"] = doc;
    return schema;
}

std::string name_of(In in) {
    return in == In::url ? "url" : in == In::query ? "query" : "body";
}

json field_schema(const ShapeField& field) {
    json schema;
    switch (field.type) {
        case FieldType::text: schema = {{"type", "string"}}; break;
        case FieldType::integer: schema = {{"type", "integer"}, {"format", "int64"}}; break;
        case FieldType::real: schema = {{"type", "number"}}; break;
        case FieldType::boolean: schema = {{"type", "boolean"}}; break;
        case FieldType::time: schema = {{"type", "string"}, {"pattern", date_pattern}}; break;
        case FieldType::text_list: schema = text_list(); break;
    }
    if (!field.values.empty()) schema["enum"] = field.values;
    return described(std::move(schema), field.doc);
}

json string_header(const char* name, const char* doc, json schema) {
    return {{"name", name}, {"in", "header"}, {"description", doc}, {"schema", std::move(schema)}};
}

json object_schema(json properties, json required) {
    json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
}

json error_schema() {
    json text = {{"type", "string"}};
    return object_schema({{"code", {{"type", "string"}, {"pattern", "^[A-Z][A-Z0-9_]*(\\.[A-Z]+)*\\.[0-9]+$"}}},
                          {"description", text},
                          {"details", text},
                          {"cause", reference("schemas", "ErrorCode")}},
                         {"code", "description", "details"});
}

json response(const char* description, json schema) {
    return {{"description", description}, {"content", json_content(std::move(schema))}};
}

json plain_get(const char* id, const char* summary, json responses) {
    return {{"servers", json::array({{{"url", "/hvagent/v1"}}})},
            {"get",
             {{"operationId", id},
              {"summary", summary},
              {"tags", {"agent"}},
              {"security", json::array()},
              {"responses", std::move(responses)}}}};
}

}  // namespace

json reference(const std::string& kind, const std::string& name) {
    return {{"$ref", "#/components/" + kind + "/" + name}};
}

json json_content(json schema) {
    return {{"application/json", {{"schema", std::move(schema)}}}};
}

json query_parameter(const Param& param) {
    json out = {{"name", param.name}, {"in", "query"}, {"required", param.required}, {"schema", param.schema}};
    if (param.schema.value("type", "") == "array") out["explode"] = true;
    return described(std::move(out), param.doc);
}

json tags_parameter(const std::string& name) {
    return {{"name", name}, {"in", "query"}, {"explode", true}, {"schema", text_list()}};
}

json body_schema(const Row& row, bool needs_key) {
    json fields = {{"type", "object"}, {"properties", json::object()}};
    json required = json::array();
    for (const Param& param : row.params) {
        if (param.in != In::body) continue;
        fields["properties"][param.name] = described(param.schema, param.doc);
        if (param.required) required.push_back(param.name);
    }
    if (row.takes_tags)
        for (const char* tags : {"systemTags", "userTags"}) fields["properties"][tags] = text_list();
    needs_key = needs_key || !required.empty();
    if (!required.empty()) fields["required"] = required;
    const std::string key = row.body_key.empty() ? "params" : row.body_key;
    json schema = {{"type", "object"}, {"properties", {{key, fields}}}};
    if (row.takes_tags)
        for (const char* tags : {"systemTags", "userTags"}) schema["properties"][tags] = text_list();
    if (needs_key) schema["required"] = {key};
    return described(std::move(schema), row.summary);
}

json result_schema(const Row& row) {
    json properties = json::object(), required = json::array();
    bool has_resources = false;
    for (const Returned& returned : row.returns) {
        json one = returned.resource.empty() ? returned.schema : reference("schemas", returned.resource);
        properties[returned.key] = returned.is_list ? json{{"type", "array"}, {"items", one}} : one;
        has_resources |= !returned.resource.empty();
        if (!returned.optional && !row.is_query && !row.gone_is_success) required.push_back(returned.key);
    }
    if (has_resources)
        properties["schema"] = {
            {"type", "object"},
            {"additionalProperties", {{"type", "string"}}},
            {"description", "class of the contract by path, when X-JSON-Schema asks for it and for queries"}};
    return object_schema(std::move(properties), std::move(required));
}

json resource_schema(const ResourceShape& shape) {
    json properties = json::object(), required = json::array(), queryable = json::array(), expands = json::object();
    for (const ShapeField& field : shape.fields) {
        properties[field.name] = field_schema(field);
        if (field.always) required.push_back(field.name);
        if (field.queryable) queryable.push_back(field.name);
    }
    for (const ShapeNested& nested : shape.nested) {
        const json one = reference("schemas", nested.resource);
        properties[nested.name] = nested.is_list ? json{{"type", "array"}, {"items", one}} : one;
    }
    for (const ShapeExpand& expand : shape.expands) expands[expand.name] = expand.resource;
    json schema = object_schema(std::move(properties), std::move(required));
    schema["x-hvagent-resource"] = {
        {"class", shape.wire_class}, {"tagType", shape.tag_type}, {"queryable", queryable}, {"expands", expands}};
    return schema;
}

json webhook_of(const Row& row) {
    const json body = {{"anyOf", {reference("schemas", row.name + "Result"), reference("schemas", "Error")}}};
    const json post = {{"summary", "the answer of the job, as a poll would give it"},
                       {"parameters",
                        {string_header("X-Job-UUID", "the job", {{"type", "string"}}),
                         string_header("X-Job-Success", "whether it succeeded", {{"enum", {"true", "false"}}})}},
                       {"requestBody", {{"required", true}, {"content", json_content(body)}}},
                       {"responses", {{"2XX", {{"description", "taken"}}}}}};
    return {{"finished", {{"{$request.header.X-Web-Hook}", {{"post", post}}}}}};
}

json description_of(const Row& row) {
    json out = {{"name", row.name},
                {"summary", row.summary},
                {"method", to_text(row.method)},
                {"paths", row.paths},
                {"bodyKey", row.body_key},
                {"bodyKeyAliases", row.body_key_aliases},
                {"job", row.is_job},
                {"query", row.is_query},
                {"needsSession", row.needs_session},
                {"takesTags", row.takes_tags},
                {"timeoutMs", row.timeout.count()},
                {"params", json::array()},
                {"returns", json::array()}};
    for (const Param& param : row.params) {
        json one = {{"name", param.name},
                    {"in", name_of(param.in)},
                    {"required", param.required},
                    {"doc", param.doc},
                    {"schema", param.schema}};
        if (!param.resource.empty()) one["resource"] = param.resource;
        if (param.is_new_id) one["newId"] = true;
        if (param.secret) one["secret"] = true;
        out["params"].push_back(std::move(one));
    }
    for (const Returned& returned : row.returns) {
        json one = {{"key", returned.key}, {"list", returned.is_list}, {"optional", returned.optional}};
        if (returned.resource.empty())
            one["schema"] = returned.schema;
        else
            one["resource"] = returned.resource;
        out["returns"].push_back(std::move(one));
    }
    for (const auto& [name, why] : row.refused) out["refused"][name] = why;
    if (row.state_rule)
        for (VmState state : row.state_rule->allowed) out["allowedStates"].push_back(std::string(to_text(state)));
    return out;
}

json fixed_paths() {
    const json uuid = {{"name", "uuid"},
                       {"in", "path"},
                       {"required", true},
                       {"schema", {{"type", "string"}, {"pattern", "^[0-9a-fA-F]{32}$"}}}};
    const json text = {{"description", "unknown, or expired"},
                       {"content", {{"text/plain", {{"schema", {{"type", "string"}}}}}}}};
    const json result = {{"type", "object"},
                         {"description", "x-hvagent-operations of the call says which <operation>Result this is"}};
    json poll = {{"operationId", "PollJob"},
                 {"summary", "Ask for the answer of a job"},
                 {"tags", {"api-jobs"}},
                 {"security", json::array()},
                 {"parameters", {uuid, reference("parameters", "JsonSchema")}},
                 {"responses",
                  {{"200", response("it succeeded", result)},
                   {"202", reference("responses", "JobRunning")},
                   {"503", reference("responses", "Error")},
                   {"404", text}}}};
    json cancel = {{"operationId", "CancelJob"},
                   {"summary", "Cancel a job"},
                   {"tags", {"api-jobs"}},
                   {"parameters", {uuid}},
                   {"responses",
                    {{"200", response("it has ended, or was asked to", object_schema({{"cancelled", {{"type", "boolean"}}},
                                                                                      {"requested", {{"type", "boolean"}}}},
                                                                                     {"cancelled"}))},
                     {"404", text},
                     {"default", reference("responses", "Error")}}}};
    const json ready = object_schema({{"ready", {{"type", "boolean"}}}, {"reasons", text_list()}}, {"ready", "reasons"});
    const json health = object_schema(
        {{"status", {{"const", "ok"}}}, {"version", {{"type", "string"}}}, {"uptimeSeconds", {{"type", "integer"}}}},
        {"status", "version", "uptimeSeconds"});
    return {{"/api-jobs/{uuid}", {{"get", std::move(poll)}, {"delete", std::move(cancel)}}},
            {"/health", plain_get("GetHealth", "Tell that the agent is alive", {{"200", response("alive", health)}})},
            {"/ready", plain_get("GetReadiness", "Tell whether the agent can do its work",
                                 {{"200", response("ready", ready)}, {"503", response("not ready, and why", ready)}})},
            {"/openapi.json",
             plain_get("GetOpenApi", "This document", {{"200", response("OpenAPI 3.1", {{"type", "object"}})}})}};
}

json fixed_components() {
    const json location = {{"type", "string"}, {"pattern", "^https?://[^/]+/zstack/v1/api-jobs/[0-9a-fA-F]{32}$"}};
    const json count = {{"type", "integer"}, {"minimum", 0}};
    const json schemas = {
        {"ErrorCode", error_schema()},
        {"Error", object_schema({{"error", reference("schemas", "ErrorCode")}}, {"error"})},
        {"JobAccepted", object_schema({{"location", location}, {"apiTimeout", count}}, {"location"})},
        {"JobRunning", object_schema({{"location", location},
                                      {"progress", {{"type", "integer"}, {"minimum", 0}, {"maximum", 100}}},
                                      {"progressText", {{"type", "string"}}}},
                                     {"location"})},
    };
    const json parameters = {
        {"JobUuid", string_header("X-Job-UUID", "uuid of the job; the same request sent again with it gets the same job",
                                  {{"type", "string"}, {"pattern", "^[0-9a-fA-F]{32}$"}})},
        {"ApiTimeout", string_header("X-API-Timeout", "seconds the job may take", {{"type", "integer"}, {"minimum", 1}})},
        {"WebHook", string_header("X-Web-Hook", "URL that gets the answer of the job",
                                  {{"type", "string"}, {"pattern", "^https?://"}})},
        {"JsonSchema", string_header("X-JSON-Schema", "asks for the schema of the answer", {{"type", "string"}})},
    };
    const json responses = {
        {"Error", response("refused or failed", reference("schemas", "Error"))},
        {"JobAccepted", response("the job; ask its location for the answer", reference("schemas", "JobAccepted"))},
        {"JobRunning", response("not finished", reference("schemas", "JobRunning"))}};
    const json security = {
        {"session",
         {{"type", "apiKey"}, {"in", "header"}, {"name", "Authorization"}, {"description", "OAuth <uuid of a session>"}}},
        {"accessKey",
         {{"type", "apiKey"},
          {"in", "header"},
          {"name", "Authorization"},
          {"description", "ZStack <AccessKeyID>:<signature>, with a Date header"}}}};
    return {{"schemas", schemas}, {"parameters", parameters}, {"responses", responses}, {"securitySchemes", security}};
}

}  // namespace hvagent::api::openapi
