// Conditions as parametrised SQL: values of clients are bound, never part of the text.
#pragma once
#include <string>

#include "agent/inventory/condition.h"
#include "agent/inventory/resource.h"
#include "hvagent/drivers/database.h"

namespace hvagent::inventory {

struct SqlText {
    std::string sql;
    SqlValues values;  // of its `?`, in order
};

// An expression over the resource's table as `t0` that is true for the rows that fulfil the condition.
//
// Texts compare without regard to the case of ASCII letters, as the real server's MySQL collation does (which folds
// more); uuids are lower-cased. `%` and `_` in patterns are wild, `\%`, `\_` and `\\` literal. Numbers may be written
// 5, 5.0 or 1E7. A date given to the second means all of that second. A field that is NULL fulfils no comparison, not
// even a negative one.
// A joined field: some related row fulfils the condition, negative comparisons included ("some row that differs"). The same
// holds for list members (`dns`, `attachedClusterUuids`); there `is null` means that the list is empty.
// __systemTag__ and __userTag__: some tag fulfils it; for negative comparisons: no tag fulfils the positive one. For `=` and
// its kin, the manual's "staticIp:10.1.1.1" finds "staticIp::<anything>::10.1.1.1" too.
//
// Error(internal): unknown field or join, as the real server answers it (SYS.1000). Error(bad_request): a value that the
// field cannot have.
SqlText compile_condition(const Resource& resource, const Condition& condition);

// "there is no field "x"; fields are ...; joins are ...", as an Error(internal).
[[noreturn]] void fail_unknown_field(const Resource& resource, std::string_view name, const std::string& where);

// The pattern of LIKE with ESCAPE '\'.
std::string like_pattern(std::string_view pattern);

}  // namespace hvagent::inventory
