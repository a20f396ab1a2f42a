#include "agent/inventory/view_reader.h"

#include <charconv>
#include <unordered_map>

#include "agent/inventory/json_text.h"

namespace hvagent::inventory {
namespace {

constexpr std::size_t usual_view_bytes = 2048;

bool is_wanted(const WantedNames& wanted, std::string_view name) {
    return wanted.empty() || wanted.contains(name);
}

void append_key(std::string& text, std::string_view name) {
    text += '"';
    text += name;
    text += "\":";
}

void append_number(std::string& text, std::int64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end);
}

// While a view is written each member ends with a comma; the last one becomes the closing brace.
void close_object(std::string& text) {
    if (text.back() == ',')
        text.back() = '}';
    else
        text += '}';
}

std::string limit_of(const RowSet& rows) {
    if (rows.limit < 0 && rows.start == 0) return "";
    return " LIMIT " + std::to_string(rows.limit) + " OFFSET " + std::to_string(rows.start);
}

// The uuids of the rows that were read. Where the limit cut nothing off it is left out, and the sorting with it.
std::string uuids_of(const Resource& resource, const RowSet& rows, std::size_t found) {
    std::string sql = "SELECT t0.\"uuid\" FROM " + identifier(resource.table) + " t0 WHERE " + rows.where;
    const bool is_cut = rows.start > 0 || (rows.limit >= 0 && found == static_cast<std::size_t>(rows.limit));
    if (is_cut) sql += " ORDER BY " + rows.order_by + limit_of(rows);
    return sql;
}

std::string_view class_of(const Resource& resource, const std::string& type) {
    for (const auto& [name, wire_class] : resource.class_by_type)
        if (name == type) return wire_class;
    return resource.wire_class;
}

}  // namespace

std::vector<ViewRow> ViewReader::read(const Resource& resource, const RowSet& rows, const WantedNames& wanted) {
    return read_level(resource, rows, wanted, "");
}

std::vector<ViewRow> ViewReader::read_level(const Resource& resource, const RowSet& rows, const WantedNames& wanted,
                                            const std::string& parent_column) {
    std::vector<ViewRow> found = read_own_fields(resource, rows, wanted, parent_column);
    if (found.empty()) return found;
    const std::string uuids = uuids_of(resource, rows, found.size());
    for (const TextList& list : resource.lists)
        if (is_wanted(wanted, list.name)) append_list(resource, list, uuids, rows, found);
    for (const Nested& nested : resource.nested)
        if (is_wanted(wanted, nested.link.name)) append_nested(nested, uuids, rows, found);
    for (ViewRow& row : found) close_object(row.text);
    return found;
}

std::vector<ViewRow> ViewReader::read_own_fields(const Resource& resource, const RowSet& rows, const WantedNames& wanted,
                                                 const std::string& parent_column) {
    const bool has_classes = with_classes_ && !resource.class_by_type.empty();
    std::string columns = "t0.\"uuid\"";
    columns += parent_column.empty() ? ", NULL" : ", t0." + identifier(parent_column);
    columns += has_classes ? ", t0.\"type\"" : ", NULL";
    std::vector<const Field*> fields;
    for (const Field& field : resource.fields) {
        if (!is_wanted(wanted, field.name)) continue;
        fields.push_back(&field);
        columns += ", " + field.sql("t0");
    }
    constexpr int first_field = 3;

    std::vector<ViewRow> found;
    session_.each("SELECT " + columns + " FROM " + identifier(resource.table) + " t0 WHERE " + rows.where + " ORDER BY " +
                      rows.order_by + limit_of(rows),
                  rows.values, [&](const SqlRow& row) {
                      ViewRow& view = found.emplace_back();
                      view.uuid = row.text(0);
                      if (!parent_column.empty()) view.parent = row.text(1);
                      if (with_classes_)
                          view.classes.push_back({"", has_classes ? class_of(resource, row.text(2)) : resource.wire_class});
                      view.text.reserve(usual_view_bytes);
                      view.text += '{';
                      int column = first_field;
                      for (const Field* field : fields) append_field(view.text, *field, row, column++);
                  });
    return found;
}

void ViewReader::append_field(std::string& text, const Field& field, const SqlRow& row, int column) {
    if (row.is_null(column)) return;
    append_key(text, field.name);
    switch (field.type) {
        case api::FieldType::integer: append_number(text, row.integer(column)); break;
        case api::FieldType::boolean: text += row.integer(column) != 0 ? "true" : "false"; break;
        case api::FieldType::time:
            text += '"';
            dates_.append(text, row.integer(column));
            text += '"';
            break;
        default: append_json_string(text, row.text(column));
    }
    text += ',';
}

void ViewReader::append_nested(const Nested& nested, const std::string& uuids, const RowSet& parents,
                               std::vector<ViewRow>& rows) {
    const Resource& resource = get_resource(nested.link.resource);
    RowSet children;
    children.where = "t0." + identifier(nested.link.other) + " IN (" + uuids + ")";
    children.values = parents.values;
    if (!nested.order_by.empty()) children.order_by = "t0." + identifier(nested.order_by) + ", t0.rowid";

    std::unordered_map<std::string, std::vector<ViewRow>> by_parent;
    for (ViewRow& child : read_level(resource, children, {}, nested.link.other))
        by_parent[child.parent].push_back(std::move(child));
    for (ViewRow& row : rows) {
        append_key(row.text, nested.link.name);
        row.text += '[';
        if (const auto found = by_parent.find(row.uuid); found != by_parent.end()) {
            for (std::size_t i = 0; i < found->second.size(); ++i) {
                const ViewRow& child = found->second[i];
                if (i > 0) row.text += ',';
                row.text += child.text;
                for (const ClassAt& at : child.classes)
                    row.classes.push_back({"." + nested.link.name + "[" + std::to_string(i) + "]" + at.path, at.wire_class});
            }
        }
        row.text += "],";
    }
}

void ViewReader::append_list(const Resource& resource, const TextList& list, const std::string& uuids, const RowSet& parents,
                             std::vector<ViewRow>& rows) {
    std::unordered_map<std::string, std::string> items_by_row;
    const auto add_item = [&](std::string& items, std::string_view item) {
        if (!items.empty()) items += ',';
        append_json_string(items, item);
    };
    if (list.source != TextList::Source::none)
        session_.each(list.items_of(resource.table, uuids), parents.values, [&](const SqlRow& row) {
            std::string& items = items_by_row[row.text(0)];
            const std::string text = row.text(1);
            if (list.source != TextList::Source::comma_column) return add_item(items, text);
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = std::min(text.find(',', at), text.size());
                if (end > at) add_item(items, std::string_view(text).substr(at, end - at));
                at = end + 1;
            }
        });
    for (ViewRow& row : rows) {
        append_key(row.text, list.name);
        row.text += '[';
        if (const auto found = items_by_row.find(row.uuid); found != items_by_row.end()) row.text += found->second;
        row.text += "],";
    }
}

}  // namespace hvagent::inventory
