#include "agent/api/schema.h"

namespace hvagent::api {
namespace {

// Some classes of the contract depend on the object's type: an L2 network with a VLAN has one of its own.
const std::string& class_of(const ResourceShape& shape, const json& object) {
    if (const auto type = object.find("type"); type != object.end() && type->is_string())
        for (const auto& [name, wire_class] : shape.class_by_type)
            if (*type == name) return wire_class;
    return shape.wire_class;
}

}  // namespace

SchemaBuilder::SchemaBuilder(const std::vector<ResourceShape>& shapes) {
    for (const ResourceShape& shape : shapes) shapes_.emplace(shape.resource, shape);
}

json SchemaBuilder::schema_of(const Row& row, const json& answer) const {
    json schema = json::object();
    for (const Returned& returned : row.returns)
        if (const auto found = answer.find(returned.key); !returned.resource.empty() && found != answer.end())
            add(schema, returned.key, returned.resource, *found);
    return schema;
}

json SchemaBuilder::decorate(const Row& row, json answer, bool wanted) const {
    if ((!wanted && !row.is_query) || !answer.is_object() || answer.contains("schema")) return answer;
    json schema = schema_of(row, answer);
    // A query that found nothing still says so with an empty map, as the real server does.
    if (!schema.empty() || row.is_query) answer["schema"] = std::move(schema);
    return answer;
}

void SchemaBuilder::add(json& schema, const std::string& path, const std::string& resource, const json& value) const {
    const auto shape = shapes_.find(resource);
    if (shape == shapes_.end() || shape->second.wire_class.empty()) return;
    if (value.is_object()) add_one(schema, path, shape->second, value);
    if (!value.is_array()) return;
    for (std::size_t i = 0; i < value.size(); ++i)
        if (value[i].is_object()) add_one(schema, path + "[" + std::to_string(i) + "]", shape->second, value[i]);
}

void SchemaBuilder::add_one(json& schema, const std::string& path, const ResourceShape& shape, const json& object) const {
    schema[path] = class_of(shape, object);
    for (const ShapeNested& nested : shape.nested)
        if (const auto found = object.find(nested.name); found != object.end())
            add(schema, path + "." + nested.name, nested.resource, *found);
}

}  // namespace hvagent::api
