#include "agent/inventory/query.h"

#include <strings.h>

#include "agent/inventory/blanks.h"
#include "agent/inventory/condition.h"
#include "agent/inventory/condition_sql.h"
#include "agent/inventory/json_text.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

constexpr std::size_t most_conditions = 200;
constexpr std::size_t most_values = 16 * 1024;  // of all conditions; SQLite binds 32,766

void add_conditions(const Resource& resource, const std::vector<std::string>& texts, RowSet& rows) {
    for (const std::string& text : texts) {
        if (trimmed(text).empty()) throw Error(Code::bad_request, "an empty condition");
        SqlText compiled = compile_condition(resource, parse_condition(text));
        rows.where = rows.where == "1" ? compiled.sql : rows.where + " AND " + compiled.sql;
        rows.values.insert(rows.values.end(), compiled.values.begin(), compiled.values.end());
    }
    if (rows.values.size() > most_values)
        throw Error(Code::bad_request, "the conditions hold more than " + std::to_string(most_values) + " values");
}

const Field& own_field(const Resource& resource, const std::string& name, const std::string& where) {
    if (const Field* field = resource.find_field(name)) return *field;
    fail_unknown_field(resource, name, where);
}

// NULL, "", and what an old Java SDK puts there by mistake: the value of replyWithCount.
bool is_no_sort(const std::string& field) {
    for (const char* word : {"", "true", "false", "null"})
        if (strcasecmp(field.c_str(), word) == 0) return true;
    return false;
}

void set_order(const Resource& resource, const std::string& sort, RowSet& rows) {
    std::string_view rest = trimmed(sort);
    const bool descending = rest.starts_with('-');
    if (rest.starts_with('-') || rest.starts_with('+')) rest = trimmed(rest.substr(1));
    const std::string name(rest);
    if (is_no_sort(name)) return;
    const Field& field = own_field(resource, name, "sort \"" + sort.substr(0, 80) + "\"");
    if (!field.constant.empty()) return;
    rows.order_by = field.folded_sql("t0") + (descending ? " DESC" : " ASC") + ", t0.rowid";
}

// One row per value: the one created first.
void set_group(const Resource& resource, const std::string& group_by, RowSet& rows) {
    const std::string name(trimmed(group_by));
    if (name.empty()) return;
    const Field& field = own_field(resource, name, "groupBy \"" + group_by.substr(0, 80) + "\"");
    // A constant would be read as the number of a column.
    const std::string value = field.constant.empty() ? field.folded_sql("t0") : "NULL";
    rows.where = "t0.rowid IN (SELECT MIN(t0.rowid) FROM " + identifier(resource.table) + " t0 WHERE " + rows.where +
                 " GROUP BY " + value + ")";
}

WantedNames wanted_names(const Resource& resource, const std::vector<std::string>& lists) {
    WantedNames names;
    for (const std::string& list : lists)
        for (std::size_t at = 0; at <= list.size();) {
            const std::size_t end = std::min(list.find(',', at), list.size());
            const std::string name(trimmed(std::string_view(list).substr(at, end - at)));
            at = end + 1;
            if (name.empty()) continue;
            bool is_nested = false;
            for (const Nested& nested : resource.nested) is_nested |= nested.link.name == name;
            if (!is_nested && !resource.find_list(name)) own_field(resource, name, "fields");
            names.insert(name);
        }
    return names;
}

std::int64_t count_rows(SqlSession& session, const Query& query) {
    std::int64_t count = 0;
    session.each("SELECT COUNT(*) FROM " + identifier(query.resource.table) + " t0 WHERE " + query.rows.where,
                 query.rows.values, [&](const SqlRow& row) { count = row.integer(0); });
    return count;
}

void append_schema(std::string& text, const ViewTree& tree) {
    const std::size_t begin = text.size();
    std::string path;
    for (std::size_t i = 0; i < tree.size(); ++i) {
        path = "inventories[" + std::to_string(i) + "]";
        tree.append_classes(text, path, i);
    }
    if (text.size() > begin) text[begin] = ' ';  // the first one's comma
}

}  // namespace

RowSet row_with(const Resource& resource, const std::string& uuid) {
    RowSet rows;
    rows.where = resource.filter("t0") + " AND t0.\"uuid\" = ?";
    rows.values.emplace_back(uuid);
    return rows;
}

Query make_query(const Resource& resource, const api::QueryRequest& request) {
    if (!request.uuid.empty()) return {resource, row_with(resource, request.uuid), {}, false, false};
    if (request.limit < 0 || request.start < 0) throw Error(Code::bad_request, "limit and start must not be negative");
    if (request.conditions.size() + request.condition_aliases.size() > most_conditions)
        throw Error(Code::bad_request, "more than " + std::to_string(most_conditions) + " conditions");
    Query query{resource, {}, {}, request.count, request.reply_with_count};
    query.rows.where = resource.filter("t0");
    add_conditions(resource, request.conditions, query.rows);
    add_conditions(resource, request.condition_aliases, query.rows);
    set_group(resource, request.group_by, query.rows);
    set_order(resource, request.sort, query.rows);
    query.rows.limit = request.limit;
    query.rows.start = request.start;
    query.wanted = wanted_names(resource, request.fields);
    return query;
}

std::string run_query(SqlSession& session, const Query& query, bool with_schema) {
    if (query.count_only)
        return "{\"total\":" + std::to_string(count_rows(session, query)) + (with_schema ? ",\"schema\":{}}" : "}");
    const ViewTree tree(session, query.resource, query.rows, query.wanted);
    std::string text;
    text.reserve(tree.text_bytes() + tree.size() * (with_schema ? 512 : 1) + 128);
    text += "{\"inventories\":[";
    for (std::size_t i = 0; i < tree.size(); ++i) {
        if (i > 0) text += ',';
        tree.append_view(text, i);
    }
    text += ']';
    if (query.with_total) text += ",\"total\":" + std::to_string(count_rows(session, query));
    if (with_schema) {
        text += ",\"schema\":{";
        append_schema(text, tree);
        text += '}';
    }
    text += '}';
    return text;
}

}  // namespace hvagent::inventory
