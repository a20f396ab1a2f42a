#include "agent/api/catalog_text.h"

namespace hvagent::api {
namespace {

json describe(const Param& param) {
    static constexpr const char* places[] = {"url", "query", "body"};
    json out = {
        {"name", param.name}, {"in", places[static_cast<int>(param.in)]}, {"doc", param.doc}, {"schema", param.schema}};
    if (param.required) out["required"] = true;
    if (param.secret) out["secret"] = true;
    return out;
}

json describe(const Row& row) {
    json out = {{"name", row.name},
                {"summary", row.summary},
                {"method", to_text(row.method)},
                {"path", row.paths.front()},
                {"job", row.is_job}};
    if (!row.body_key.empty()) out["bodyKey"] = row.body_key;
    if (row.is_query && !row.returns.empty()) out["query"] = row.returns.front().resource;
    if (!row.needs_session) out["public"] = true;
    out["params"] = json::array();
    for (const Param& param : row.params) out["params"].push_back(describe(param));
    const json list = {{"type", "array"}, {"items", {{"type", "string"}}}};
    if (row.takes_tags)
        for (const char* tags : {"systemTags", "userTags"})
            out["params"].push_back({{"name", tags}, {"in", "body"}, {"doc", "tags of what is created"}, {"schema", list}});
    return out;
}

}  // namespace

json describe_catalog(const Catalog& catalog, const std::vector<ResourceShape>& shapes) {
    json out = {{"operations", json::array()}, {"resources", json::object()}};
    for (const Row& row : catalog.rows()) out["operations"].push_back(describe(row));
    for (const ResourceShape& shape : shapes) {
        json fields = json::array(), expands = json::object();
        for (const ShapeField& field : shape.fields)
            if (field.queryable) fields.push_back(field.name);
        for (const ShapeExpand& expand : shape.expands) expands[expand.name] = expand.resource;
        out["resources"][shape.resource] = {{"fields", fields}, {"expands", expands}};
    }
    return out;
}

}  // namespace hvagent::api
