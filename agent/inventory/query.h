// A Query request as one statement over a resource, and its answer as JSON text (rest-conventions, sections 8.1 and 8.4).
#pragma once
#include <string>

#include "agent/api/query_request.h"
#include "agent/inventory/resource.h"
#include "agent/inventory/view_tree.h"

namespace hvagent::inventory {

struct Query {
    const Resource& resource;
    RowSet rows;
    WantedNames wanted;
    bool count_only = false;
    bool with_total = false;
};

// Without a sort, rows come in the order in which they were created, so that pages fit together. A sort by "true", "false"
// or "null" is no sort: an old Java SDK sends that.
// Error(internal) for an unknown field, Error(bad_request) for a malformed condition.
Query make_query(const Resource& resource, const api::QueryRequest& request);

// {"inventories": [...], "total": n, "schema": {path: class}}
std::string run_query(SqlSession& session, const Query& query, bool with_schema);

RowSet row_with(const Resource& resource, const std::string& uuid);

}  // namespace hvagent::inventory
