// The pieces of the OpenAPI document that come from one row, one parameter or one resource, and those that are always the
// same.
#pragma once
#include <string>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"

namespace hvagent::api::openapi {

json reference(const std::string& kind, const std::string& name);  // {"$ref": "#/components/<kind>/<name>"}
json json_content(json schema);

json query_parameter(const Param& param);
json tags_parameter(const std::string& name);
// The whole body: {"<key>": {...}, "systemTags": [...]}. `needs_key`: the key must stand there, as it names the action.
json body_schema(const Row& row, bool needs_key);
// What the operation answers, at once or as a job's result.
json result_schema(const Row& row);
// A resource in answers, without unknown members; x-hvagent-resource carries what queries may ask.
json resource_schema(const ResourceShape& shape);
// The call a job makes to X-Web-Hook when it is done.
json webhook_of(const Row& row);
// The row as hvctl reads it.
json description_of(const Row& row);

json fixed_paths();
// Below /hvagent/v1.
json own_paths();
json fixed_components();

}  // namespace hvagent::api::openapi
