#include "agent/inventory/condition_sql.h"

#include "agent/inventory/value_sql.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

constexpr std::string_view system_tag_field = "__systemTag__";
constexpr std::string_view user_tag_field = "__userTag__";

bool is_tag_field(std::string_view name) {
    return name == system_tag_field || name == user_tag_field;
}

Field text_field(std::string column) {
    Field field;
    field.column = std::move(column);
    return field;
}

bool is_negative(Comparison comparison) {
    return comparison == Comparison::not_equal || comparison == Comparison::not_in || comparison == Comparison::not_like;
}

Comparison positive_of(Comparison comparison) {
    switch (comparison) {
        case Comparison::not_equal: return Comparison::equal;
        case Comparison::not_in: return Comparison::in;
        case Comparison::not_like: return Comparison::like;
        default: return comparison;
    }
}

std::string without_wildcards(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '%' || c == '_' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

// "staticIp:10.1.1.1" as the manual writes it, for the stored "staticIp::<l3>::10.1.1.1".
void add_single_colon_form(SqlText& test, const std::string& expression, const std::string& tag) {
    const std::size_t colon = tag.find(':');
    if (colon == 0 || colon == std::string::npos || colon + 1 == tag.size() || tag.find("::") != std::string::npos) return;
    const std::string name = without_wildcards(tag.substr(0, colon));
    const std::string value = without_wildcards(tag.substr(colon + 1));
    test.sql = "(" + test.sql + " OR " + expression + " LIKE ? ESCAPE '\\' OR " + expression + " LIKE ? ESCAPE '\\')";
    test.values.emplace_back(name + "::" + value);
    test.values.emplace_back(name + "::%::" + value);
}

SqlText compile_tag(const Condition& condition, const std::string& alias) {
    const bool is_system = condition.field == system_tag_field;
    const std::string tags = "EXISTS (SELECT 1 FROM \"tag\" g WHERE g.\"resourceUuid\" = " + alias +
                             ".\"uuid\" AND g.\"type\" = " + (is_system ? "'System'" : "'User'");
    if (condition.comparison == Comparison::not_null) return {tags + ")", {}};
    if (condition.comparison == Comparison::is_null) return {"NOT " + tags + ")", {}};
    const Comparison positive = positive_of(condition.comparison);
    SqlText test = compare(text_field("tag"), "g.\"tag\"", positive, condition);
    if (is_system && positive == Comparison::equal) add_single_colon_form(test, "g.\"tag\"", condition.value);
    if (is_system && positive == Comparison::in)
        for (const std::string& item : items_of(condition)) add_single_colon_form(test, "g.\"tag\"", item);
    return {(is_negative(condition.comparison) ? "NOT " : "") + tags + " AND " + test.sql + ")", std::move(test.values)};
}

SqlText compile_list(const TextList& list, const Condition& condition, const std::string& alias) {
    const std::string items = "EXISTS (SELECT 1 FROM " + list.items_in(alias) + " i";
    if (condition.comparison == Comparison::not_null) return {items + ")", {}};
    if (condition.comparison == Comparison::is_null) return {"NOT " + items + ")", {}};
    SqlText test = compare(text_field("item"), "i.item", condition.comparison, condition);
    return {items + " WHERE " + test.sql + ")", std::move(test.values)};
}

SqlText compile_field(const Resource& resource, const Condition& condition, const std::string& alias) {
    if (const Field* field = resource.find_field(condition.field))
        return compare(*field, field->sql(alias), condition.comparison, condition);
    if (const TextList* list = resource.find_list(condition.field); list && list->queryable())
        return compile_list(*list, condition, alias);
    if (is_tag_field(condition.field) && !resource.tag_type.empty()) return compile_tag(condition, alias);
    fail_unknown_field(resource, condition.field, "condition \"" + condition.text.substr(0, 80) + "\"");
}

SqlText compile_at(const Resource& resource, const Condition& condition, std::size_t depth) {
    const std::string alias = "t" + std::to_string(depth);
    if (depth == condition.joins.size()) return compile_field(resource, condition, alias);
    const std::string& join = condition.joins[depth];
    const Link* link = resource.find_link(join);
    if (!link) fail_unknown_field(resource, join, "condition \"" + condition.text.substr(0, 80) + "\"");
    SqlText related = compile_at(get_resource(link->resource), condition, depth + 1);
    const std::string owners = link->owners("t" + std::to_string(depth + 1), related.sql);
    return {alias + "." + identifier(link->own) + " IN " + owners, std::move(related.values)};
}

}  // namespace

SqlText compile_condition(const Resource& resource, const Condition& condition) {
    return compile_at(resource, condition, 0);
}

void fail_unknown_field(const Resource& resource, std::string_view name, const std::string& where) {
    std::string fields;
    for (const Field& field : resource.fields) fields += (fields.empty() ? "" : ", ") + field.name;
    for (const TextList& list : resource.lists)
        if (list.queryable()) fields += ", " + list.name;
    if (!resource.tag_type.empty()) fields += ", __systemTag__, __userTag__";
    std::string joins;
    for (const Nested& nested : resource.nested) joins += (joins.empty() ? "" : ", ") + nested.link.name;
    for (const Link& link : resource.expands) joins += (joins.empty() ? "" : ", ") + link.name;
    std::string text =
        where + ": " + resource.name + " has no field \"" + std::string(name.substr(0, 80)) + "\"; fields are " + fields;
    if (!joins.empty()) text += "; with a dot and a field of theirs: " + joins;
    throw Error(Code::internal, text);
}

}  // namespace hvagent::inventory
