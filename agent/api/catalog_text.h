// The operation table as data, for programs that are not the daemon: hvctl is built with it.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"

namespace hvagent::api {

// {"operations":
// [{"name","summary","method","path","bodyKey","job","query","params":[{"name","in","required","doc","schema"}]}],
//  "resources": {"VmInstance": {"fields": [names], "expands": {"zone": "Zone"}}}}
json describe_catalog(const Catalog& catalog, const std::vector<ResourceShape>& shapes);

}  // namespace hvagent::api
