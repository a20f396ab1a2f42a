// One condition of a query, "<name><operator><value>", taken apart (rest-conventions, section 8.2).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hvagent::inventory {

enum class Comparison {
    equal,
    not_equal,
    greater,
    less,
    greater_equal,
    less_equal,
    in,
    not_in,
    like,
    not_like,
    is_null,
    not_null,
};

struct Condition {
    std::string text;                // as given, for messages
    std::vector<std::string> joins;  // "vmNics", "l3Network" of vmNics.l3Network.name
    std::string field;               // "name"
    Comparison comparison = Comparison::equal;
    std::string value;  // not trimmed; empty for null tests
};

// The first operator from the left counts, the longest that fits there; so a value may contain operators. Null tests are
// `name is null`, `name not null`, `name is not null`, `name=null` and `name!=null`.
// Error(bad_request): no operator, no name, no value, too long, more than six joins.
Condition parse_condition(std::string_view text);

}  // namespace hvagent::inventory
