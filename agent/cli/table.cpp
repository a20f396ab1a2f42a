#include "agent/cli/table.h"

#include <algorithm>

namespace hvagent::cli {
namespace {

// In this order, those that occur.
const std::vector<std::string> telling_fields{"uuid",     "name",         "state", "status", "cpuNum",    "memorySize",
                                              "diskSize", "size",         "type",  "format", "mediaType", "ip",
                                              "mac",      "managementIp", "url",   "tag",    "startIp",   "endIp"};

std::string text_of(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null()) return "";
    if (value.is_array() && !value.empty() && value.front().is_object()) return std::to_string(value.size());
    return value.dump();
}

std::size_t shown_width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Keeps characters whole.
std::string cut(const std::string& text, std::size_t width) {
    std::size_t end = 0;
    for (std::size_t shown = 0; end < text.size(); ++end) {
        const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
        if (begins_character && ++shown > width) break;
    }
    return text.substr(0, end);
}

std::vector<std::string> choose_columns(const json& inventories, const std::vector<std::string>& fields) {
    if (!fields.empty()) return fields;
    std::vector<std::string> columns;
    for (const std::string& field : telling_fields)
        if (std::any_of(inventories.begin(), inventories.end(), [&](const json& one) { return one.contains(field); }))
            columns.push_back(field);
    if (columns.empty() && !inventories.empty())
        for (const auto& [name, value] : inventories.front().items()) columns.push_back(name);
    return columns;
}

}  // namespace

void print_table(std::ostream& out, const json& inventories, const std::vector<std::string>& fields, std::size_t width) {
    const std::vector<std::string> columns = choose_columns(inventories, fields);
    std::vector<std::vector<std::string>> lines{columns};
    for (const json& one : inventories) {
        std::vector<std::string> line;
        for (const std::string& column : columns) line.push_back(one.contains(column) ? text_of(one[column]) : "-");
        lines.push_back(std::move(line));
    }
    std::vector<std::size_t> widths(columns.size(), 0);
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], shown_width(line[i]));
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            text += line[i];
            if (i + 1 < line.size()) text.append(widths[i] - shown_width(line[i]) + 2, ' ');
        }
        if (width > 0) text = cut(text, width);
        out << text << "\n";
    }
}

void print_record(std::ostream& out, const json& record, const std::string& indent) {
    std::size_t widest = 0;
    for (const auto& [key, value] : record.items()) widest = std::max(widest, key.size());
    for (const auto& [key, value] : record.items()) {
        if (value.is_array() && !value.empty() && value.front().is_object()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                out << indent << key << "[" << i << "]\n";
                print_record(out, value[i], indent + "  ");
            }
        } else if (value.is_object()) {
            out << indent << key << "\n";
            print_record(out, value, indent + "  ");
        } else {
            out << indent << key << std::string(widest - key.size() + 2, ' ') << text_of(value) << "\n";
        }
    }
}

}  // namespace hvagent::cli
