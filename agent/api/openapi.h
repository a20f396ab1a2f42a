// The OpenAPI 3.1 document of the whole API, made from the operation table and the resource shapes.
#pragma once
#include <string>
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"

namespace hvagent::api {

// Every operation carries x-hvagent-operation (its name), x-hvagent-job and x-hvagent-body-key. Operations that share a path
// and method (PUT .../actions) stand as one OpenAPI operation whose body is one of theirs; each is listed in
// x-hvagent-operations with its parameters, which is what hvctl reads.
json make_openapi(const Catalog& catalog, const std::vector<ResourceShape>& shapes, const std::string& version);

}  // namespace hvagent::api
