// Comparing one SQL expression with the text of a condition's value, by the type of the field.
#pragma once
#include <string>

#include "agent/inventory/condition.h"
#include "agent/inventory/condition_sql.h"
#include "agent/inventory/resource.h"

namespace hvagent::inventory {

// `expression <comparison> value`. Error(bad_request) when the value is none of the field's type.
SqlText compare(const Field& field, const std::string& expression, Comparison comparison, const Condition& condition);

// The values of `?=`: split at commas, blanks kept.
std::vector<std::string> items_of(const Condition& condition);

}  // namespace hvagent::inventory
