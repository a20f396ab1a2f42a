#include "agent/inventory/view_tree.h"

#include <algorithm>
#include <charconv>

#include "agent/inventory/json_text.h"

namespace hvagent::inventory {
namespace {

bool is_wanted(const WantedNames& wanted, std::string_view name) {
    return wanted.empty() || wanted.contains(name);
}

void append_number(std::string& text, std::int64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end);
}

void append_key(std::string& text, std::string_view name) {
    text += '"';
    text += name;
    text += "\":";
}

std::string limit_of(const RowSet& rows) {
    if (rows.limit < 0 && rows.start == 0) return "";
    return " LIMIT " + std::to_string(rows.limit) + " OFFSET " + std::to_string(rows.start);
}

// What belongs to the rows that were read: a condition for `column`, which holds their uuids. Where the limit cut nothing
// off it is left out, and the sorting with it; for all rows of a table one scan is faster than a look-up per row.
std::string belongs_to(const std::string& column, const Resource& resource, const RowSet& rows, std::size_t found) {
    const bool is_cut = rows.start > 0 || (rows.limit >= 0 && found == static_cast<std::size_t>(rows.limit));
    if (rows.where == "1" && !is_cut) return column + " IS NOT NULL";
    std::string sql = column + " IN (SELECT t0.\"uuid\" FROM " + identifier(resource.table) + " t0 WHERE " + rows.where;
    if (is_cut) sql += " ORDER BY " + rows.order_by + limit_of(rows);
    return sql + ")";
}

std::string_view class_of(const Resource& resource, std::string_view type) {
    for (const auto& [name, wire_class] : resource.class_by_type)
        if (name == type) return wire_class;
    return resource.wire_class;
}

}  // namespace

ViewTree::ViewTree(SqlSession& session, const Resource& resource, const RowSet& rows, const WantedNames& wanted)
    : ViewTree(session, resource, rows, wanted, nullptr) {}

ViewTree::ViewTree(SqlSession& session, const Resource& resource, const RowSet& rows, const WantedNames& wanted,
                   const Nested* nested_as)
    : resource_(resource) {
    read_rows(session, rows, wanted, nested_as);
    if (rows_.empty()) return;
    for (const TextList& list : resource.lists)
        if (is_wanted(wanted, list.name)) read_items(session, list, rows);
    for (const Nested& nested : resource.nested)
        if (is_wanted(wanted, nested.link.name)) read_children(session, nested, rows);
}

// Nested rows come in whatever order is cheap; read_children sorts siblings, which are few.
void ViewTree::read_rows(SqlSession& session, const RowSet& rows, const WantedNames& wanted, const Nested* nested_as) {
    std::string columns = "t0.\"uuid\"";
    columns += nested_as ? ", t0." + identifier(nested_as->link.other) : ", NULL";
    columns += nested_as ? ", t0." + (nested_as->order_by.empty() ? "rowid" : identifier(nested_as->order_by)) : ", 0";
    columns += resource_.class_by_type.empty() ? ", NULL" : ", t0.\"type\"";
    constexpr int first_field = 4;
    std::vector<const Field*> fields;
    for (const Field& field : resource_.fields) {
        if (!is_wanted(wanted, field.name)) continue;
        fields.push_back(&field);
        columns += ", " + field.sql("t0");
    }
    std::string sql = "SELECT " + columns + " FROM " + identifier(resource_.table) + " t0 WHERE " + rows.where;
    if (!nested_as) sql += " ORDER BY " + rows.order_by + limit_of(rows);
    session.each(sql, rows.values, [&](const SqlRow& row) {
        Row& view = rows_.emplace_back();
        view.uuid = row.text_view(0);
        view.parent = row.text_view(1);
        view.order = row.integer(2);
        view.wire_class = resource_.class_by_type.empty() ? resource_.wire_class : class_of(resource_, row.text_view(3));
        view.begin = texts_.size();
        int column = first_field;
        for (const Field* field : fields) append_field(*field, row, column++);
        view.end = texts_.size();
    });
}

void ViewTree::append_field(const Field& field, const SqlRow& row, int column) {
    if (row.is_null(column)) return;
    append_key(texts_, field.name);
    switch (field.type) {
        case api::FieldType::integer: append_number(texts_, row.integer(column)); break;
        case api::FieldType::boolean: texts_ += row.integer(column) != 0 ? "true" : "false"; break;
        case api::FieldType::time:
            texts_ += '"';
            dates_.append(texts_, row.integer(column));
            texts_ += '"';
            break;
        default: append_json_string(texts_, row.text_view(column));
    }
    texts_ += ',';
}

void ViewTree::read_items(SqlSession& session, const TextList& list, const RowSet& rows) {
    Items& items = items_.emplace_back();
    items.list = &list;
    if (list.source == TextList::Source::none) return;
    const std::string sql =
        list.items_of(resource_.table) + belongs_to(list.owner_column(), resource_, rows, rows_.size()) + " ORDER BY rowid";
    session.each(sql, rows.values, [&](const SqlRow& row) {
        std::string& texts = items.by_row[row.text(0)];
        const auto add = [&](std::string_view item) {
            if (!texts.empty()) texts += ',';
            append_json_string(texts, item);
        };
        const std::string_view text = row.text_view(1);
        if (list.source != TextList::Source::comma_column) return add(text);
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find(',', at), text.size());
            if (end > at) add(text.substr(at, end - at));
            at = end + 1;
        }
    });
}

void ViewTree::read_children(SqlSession& session, const Nested& nested, const RowSet& rows) {
    RowSet wanted;
    wanted.where = belongs_to("t0." + identifier(nested.link.other), resource_, rows, rows_.size());
    wanted.values = rows.values;
    Children& children = children_.emplace_back(
        Children{&nested, ViewTree(session, get_resource(nested.link.resource), wanted, {}, &nested), {}});
    const std::vector<Row>& found = children.tree.rows_;
    children.by_parent.reserve(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) children.by_parent[found[i].parent].push_back(i);
    for (auto& [parent, siblings] : children.by_parent)
        if (siblings.size() > 1)
            std::stable_sort(siblings.begin(), siblings.end(),
                             [&](std::size_t a, std::size_t b) { return found[a].order < found[b].order; });
}

std::size_t ViewTree::text_bytes() const {
    std::size_t bytes = texts_.size() + rows_.size() * (2 + 32 * (children_.size() + items_.size()));
    for (const Children& children : children_) bytes += children.tree.text_bytes();
    return bytes;
}

// Each member ends with a comma; the last one becomes the closing brace.
void ViewTree::append_view(std::string& out, std::size_t index) const {
    const Row& row = rows_[index];
    out += '{';
    out.append(texts_, row.begin, row.end - row.begin);
    for (const Items& items : items_) {
        append_key(out, items.list->name);
        out += '[';
        if (const auto found = items.by_row.find(row.uuid); found != items.by_row.end()) out += found->second;
        out += "],";
    }
    for (const Children& children : children_) {
        append_key(out, children.nested->link.name);
        out += '[';
        if (const auto found = children.by_parent.find(row.uuid); found != children.by_parent.end()) {
            for (const std::size_t child : found->second) {
                children.tree.append_view(out, child);
                out += ',';
            }
            out.pop_back();
        }
        out += "],";
    }
    if (out.back() == ',')
        out.back() = '}';
    else
        out += '}';
}

void ViewTree::append_classes(std::string& out, std::string& path, std::size_t index) const {
    const Row& row = rows_[index];
    out += ",\"";
    out += path;
    out += "\":\"";
    out += row.wire_class;
    out += '"';
    const std::size_t length = path.size();
    for (const Children& children : children_) {
        const auto found = children.by_parent.find(row.uuid);
        if (found == children.by_parent.end()) continue;
        for (std::size_t i = 0; i < found->second.size(); ++i) {
            path += '.';
            path += children.nested->link.name;
            path += '[';
            append_number(path, static_cast<std::int64_t>(i));
            path += ']';
            children.tree.append_classes(out, path, found->second[i]);
            path.resize(length);
        }
    }
}

}  // namespace hvagent::inventory
