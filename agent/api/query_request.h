// The parameters that every Query operation takes (rest-conventions, section 8.1).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/api/operation.h"

namespace hvagent::api {

struct QueryRequest {
    std::string uuid;                            // the /{uuid} form: everything else is ignored
    std::vector<std::string> conditions;         // "name=web-1", all must hold
    std::vector<std::string> condition_aliases;  // the manual's `condition=`
    int limit = 1000;
    int start = 0;
    bool count = false;               // only `total`
    bool reply_with_count = false;    // `total` too
    std::string sort;                 // "+name", "-createDate", "name"
    std::vector<std::string> fields;  // comma lists
    std::string group_by;
};

// The row of a Query operation over one resource. `path` also answers as path/{uuid} unless `single` is false.
Row query_operation(std::string name, std::string resource, std::string path, std::string summary,
                    std::function<json(const std::string& resource, const QueryRequest& request)> run, bool single = true);

}  // namespace hvagent::api
