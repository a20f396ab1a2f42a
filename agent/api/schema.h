// The `schema` of an answer: which class of the contract stands at which JSON path, e.g.
// {"inventories[0]": "org.zstack.header.vm.VmInstanceInventory", "inventories[0].vmNics[0]": ...} (rest-conventions, 9.4).
// The Java SDK makes typed objects with it, and throws on a path whose value is absent: only what is there is listed.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"

namespace hvagent::api {

// Immutable once built; thread-safe.
class SchemaBuilder {
public:
    explicit SchemaBuilder(const std::vector<ResourceShape>& shapes);

    json schema_of(const Row& row, const json& answer) const;
    // The answer with its schema: for queries always, else when `wanted`; an answer without resources gets none.
    json decorate(const Row& row, json answer, bool wanted) const;

private:
    void add(json& schema, const std::string& path, const std::string& resource, const json& value) const;
    void add_one(json& schema, const std::string& path, const ResourceShape& shape, const json& object) const;

    std::map<std::string, ResourceShape> shapes_;
};

}  // namespace hvagent::api
