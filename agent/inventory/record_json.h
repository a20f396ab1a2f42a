// Records as JSON, column by column: how they travel to another agent.
#pragma once
#include <nlohmann/json.hpp>

#include "agent/inventory/records.h"

namespace hvagent::inventory {

// One JSON object as the row it was made from. A column that it lacks (a peer of another version) reads as in a fresh
// record.
class JsonRow final : public SqlRow {
public:
    JsonRow(const Table& table, const nlohmann::json& values);
    int columns() const override { return static_cast<int>(cells_.size()); }
    bool is_null(int column) const override;
    std::int64_t integer(int column) const override;
    double real(int column) const override;
    std::string text(int column) const override;
    std::string_view text_view(int column) const override;

private:
    std::vector<SqlValue> cells_;
};

nlohmann::json to_json(const Table& table, const SqlValues& stored);

template <class T>
nlohmann::json record_to_json(const T& record) {
    return to_json(record_of<T>().table(), record_of<T>().store(record));
}

template <class T>
T record_from_json(const nlohmann::json& values) {
    return record_of<T>().load(JsonRow(record_of<T>().table(), values));
}

template <class T>
nlohmann::json records_to_json(const std::vector<T>& records) {
    nlohmann::json list = nlohmann::json::array();
    for (const T& record : records) list.push_back(record_to_json(record));
    return list;
}

template <class T>
std::vector<T> records_from_json(const nlohmann::json& list) {
    std::vector<T> records;
    for (const nlohmann::json& one : list) records.push_back(record_from_json<T>(one));
    return records;
}

}  // namespace hvagent::inventory
