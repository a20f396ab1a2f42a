// Answers for people.
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hvagent::cli {

using nlohmann::json;

// One line per inventory. Columns: `fields` when given, else the telling ones that occur. As wide as needed; `width` 0: no
// limit.
void print_table(std::ostream& out, const json& inventories, const std::vector<std::string>& fields, std::size_t width);
// "key  value" lines; nested lists indented.
void print_record(std::ostream& out, const json& record, const std::string& indent = "");

}  // namespace hvagent::cli
