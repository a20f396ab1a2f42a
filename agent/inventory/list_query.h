// The query language over records that are not in the store's tables: sessions' keys, jobs. The same grammar and answers as
// queries over the store (rest-conventions, section 8), without joins and tags.
#pragma once
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/query_request.h"
#include "agent/api/resource_shape.h"

namespace hvagent::inventory {

// `records`: objects with the fields of `shape`, absent ones left out, times as milliseconds since 1970; in the order of
// answers without a sort. Error(internal): unknown field; Error(bad_request): malformed condition or value.
nlohmann::json query_list(const api::ResourceShape& shape, std::vector<nlohmann::json> records,
                          const api::QueryRequest& request);

// One record as answers show it: times as texts.
nlohmann::json view_of(const api::ResourceShape& shape, nlohmann::json record);

}  // namespace hvagent::inventory
