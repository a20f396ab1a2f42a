#include "agent/inventory/record_json.h"

#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

using nlohmann::json;

json to_json(const SqlValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return nullptr;
}

SqlValue from_json(const json& value, const std::string& column) {
    if (value.is_null()) return nullptr;
    if (value.is_boolean()) return std::int64_t{value.get<bool>()};
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) return value.get<std::string>();
    throw Error(Code::invalid_argument, "the record's column " + column + " is no plain value");
}

// A generated column is computed, never stored.
bool is_stored(const Column& column) {
    return column.expression.empty();
}

}  // namespace

json to_json(const Table& table, const SqlValues& stored) {
    json object = json::object();
    std::size_t at = 0;
    for (const Column& column : table.columns)
        if (is_stored(column)) object[column.name] = to_json(stored[at++]);
    return object;
}

JsonRow::JsonRow(const Table& table, const json& values) {
    if (!values.is_object()) throw Error(Code::invalid_argument, "a record of " + table.resource + " is no JSON object");
    for (const Column& column : table.columns) {
        if (!is_stored(column)) continue;
        const auto found = values.find(column.name);
        cells_.push_back(found == values.end() ? column.initial : from_json(*found, column.name));
    }
}

bool JsonRow::is_null(int column) const {
    return std::holds_alternative<std::nullptr_t>(cells_[static_cast<std::size_t>(column)]);
}

std::int64_t JsonRow::integer(int column) const {
    const SqlValue& cell = cells_[static_cast<std::size_t>(column)];
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
    if (const auto* real = std::get_if<double>(&cell)) return static_cast<std::int64_t>(*real);
    return 0;
}

double JsonRow::real(int column) const {
    const SqlValue& cell = cells_[static_cast<std::size_t>(column)];
    if (const auto* real = std::get_if<double>(&cell)) return *real;
    return static_cast<double>(integer(column));
}

std::string_view JsonRow::text_view(int column) const {
    const auto* text = std::get_if<std::string>(&cells_[static_cast<std::size_t>(column)]);
    return text ? std::string_view(*text) : std::string_view();
}

std::string JsonRow::text(int column) const {
    return std::string(text_view(column));
}

}  // namespace hvagent::inventory
