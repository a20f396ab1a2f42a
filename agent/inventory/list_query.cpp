#include "agent/inventory/list_query.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "agent/inventory/condition.h"
#include "agent/inventory/wire_date.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

using api::FieldType;
using api::ShapeField;
using nlohmann::json;

const ShapeField& field_named(const api::ResourceShape& shape, std::string_view name) {
    for (const ShapeField& field : shape.fields)
        if (field.name == name && field.queryable) return field;
    throw Error(Code::internal,
                "unknown field \"" + std::string(name.substr(0, 80)) + "\" in a query over " + shape.resource);
}

[[noreturn]] void refuse_value(const Condition& condition, const char* expected) {
    throw Error(Code::bad_request, "condition \"" + condition.text.substr(0, 80) + "\": the value must be " + expected);
}

std::string text_of(const json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

int sign(std::int64_t left, std::int64_t right) {
    return left < right ? -1 : left > right ? 1 : 0;
}

// Below, at or above zero: the record's value against one value of the condition.
int compare(const ShapeField& field, const json& value, const std::string& given, const Condition& condition) {
    switch (field.type) {
        case FieldType::time: {
            const auto instant = parse_date(given);
            if (!instant) refuse_value(condition, "a date");
            const auto ms = value.get<std::int64_t>();
            return ms < instant->from_ms ? -1 : ms >= instant->to_ms ? 1 : 0;
        }
        case FieldType::integer: {
            std::int64_t number = 0;
            const auto [end, failure] = std::from_chars(given.data(), given.data() + given.size(), number);
            if (failure != std::errc() || end != given.data() + given.size()) refuse_value(condition, "an integer");
            return sign(value.get<std::int64_t>(), number);
        }
        case FieldType::boolean: {
            const bool is_true = strcasecmp(given.c_str(), "true") == 0 || given == "1";
            if (!is_true && strcasecmp(given.c_str(), "false") != 0 && given != "0")
                refuse_value(condition, "true or false");
            return sign(value.get<bool>(), is_true);
        }
        default: return sign(strcasecmp(text_of(value).c_str(), given.c_str()), 0);
    }
}

// SQL's LIKE: % any run, _ one character; without regard to case. Remembers only the last %, so it never backtracks far.
bool is_like(std::string_view text, std::string_view pattern) {
    std::size_t at = 0, p = 0, star = std::string_view::npos, resume = 0;
    while (at < text.size()) {
        if (p < pattern.size() && pattern[p] == '%') {
            star = p++;
            resume = at;
        } else if (p < pattern.size() && (pattern[p] == '_' || strncasecmp(&pattern[p], &text[at], 1) == 0)) {
            ++p;
            ++at;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '%') ++p;
    return p == pattern.size();
}

bool is_in_list(const ShapeField& field, const json& value, const Condition& condition) {
    for (std::size_t at = 0; at <= condition.value.size();) {
        const std::size_t end = std::min(condition.value.find(',', at), condition.value.size());
        if (compare(field, value, condition.value.substr(at, end - at), condition) == 0) return true;
        at = end + 1;
    }
    return false;
}

bool holds(const Condition& condition, const ShapeField& field, const json& record) {
    const auto found = record.find(field.name);
    const bool is_null = found == record.end() || found->is_null();
    if (condition.comparison == Comparison::is_null) return is_null;
    if (condition.comparison == Comparison::not_null) return !is_null;
    if (is_null) return false;
    // As over the store: some item of the list fulfils the condition.
    if (found->is_array())
        return std::any_of(found->begin(), found->end(), [&](const json& item) {
            ShapeField of_item = field;
            of_item.type = FieldType::text;
            return holds(condition, of_item, json::object({{field.name, item}}));
        });
    switch (condition.comparison) {
        case Comparison::equal: return compare(field, *found, condition.value, condition) == 0;
        case Comparison::not_equal: return compare(field, *found, condition.value, condition) != 0;
        case Comparison::greater: return compare(field, *found, condition.value, condition) > 0;
        case Comparison::less: return compare(field, *found, condition.value, condition) < 0;
        case Comparison::greater_equal: return compare(field, *found, condition.value, condition) >= 0;
        case Comparison::less_equal: return compare(field, *found, condition.value, condition) <= 0;
        case Comparison::in: return is_in_list(field, *found, condition);
        case Comparison::not_in: return !is_in_list(field, *found, condition);
        case Comparison::like: return is_like(text_of(*found), condition.value);
        case Comparison::not_like: return !is_like(text_of(*found), condition.value);
        default: return false;
    }
}

void keep_matching(const api::ResourceShape& shape, std::vector<json>& records, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
        const Condition condition = parse_condition(text);
        if (!condition.joins.empty()) field_named(shape, condition.joins.front());  // throws: nothing is joined here
        const ShapeField& field = field_named(shape, condition.field);
        std::erase_if(records, [&](const json& record) { return !holds(condition, field, record); });
    }
}

// An unknown field is no sort: an old Java SDK sends "+true".
void sort_by(const api::ResourceShape& shape, std::vector<json>& records, const std::string& sort) {
    const auto begin = sort.find_first_not_of("+ ");
    if (begin == std::string::npos) return;
    const bool is_descending = sort[begin] == '-';
    const std::string name = sort.substr(begin + (is_descending ? 1 : 0));
    const bool is_known = std::any_of(shape.fields.begin(), shape.fields.end(),
                                      [&name](const ShapeField& field) { return field.name == name; });
    if (!is_known) return;
    std::stable_sort(records.begin(), records.end(), [&](const json& left, const json& right) {
        const json a = left.value(name, json()), b = right.value(name, json());
        return is_descending ? b < a : a < b;
    });
}

std::set<std::string> wanted_fields(const api::ResourceShape& shape, const std::vector<std::string>& lists) {
    std::set<std::string> names;
    for (const std::string& list : lists)
        for (std::size_t at = 0; at <= list.size();) {
            const std::size_t end = std::min(list.find(',', at), list.size());
            const std::string name = list.substr(at, end - at);
            if (!name.empty()) names.insert(field_named(shape, name).name);
            at = end + 1;
        }
    return names;
}

}  // namespace

json view_of(const api::ResourceShape& shape, json record) {
    WireDate dates;
    for (const ShapeField& field : shape.fields)
        if (const auto found = record.find(field.name); field.type == FieldType::time && found != record.end())
            *found = dates.text(found->get<std::int64_t>());
    return record;
}

json query_list(const api::ResourceShape& shape, std::vector<json> records, const api::QueryRequest& request) {
    if (!request.uuid.empty()) {
        std::erase_if(records, [&request](const json& record) { return record.value("uuid", "") != request.uuid; });
        json found = json::array();
        for (json& record : records) found.push_back(view_of(shape, std::move(record)));
        return {{"inventories", found}};
    }
    keep_matching(shape, records, request.conditions);
    keep_matching(shape, records, request.condition_aliases);
    sort_by(shape, records, request.sort);
    if (!request.group_by.empty()) {
        const std::string& name = field_named(shape, request.group_by).name;
        std::set<json> seen;
        std::erase_if(records, [&](const json& record) { return !seen.insert(record.value(name, json())).second; });
    }
    const std::size_t total = records.size();
    if (request.count) return {{"total", total}};
    const std::set<std::string> wanted = wanted_fields(shape, request.fields);
    json page = json::array();
    for (std::size_t i = static_cast<std::size_t>(request.start);
         i < total && page.size() < static_cast<std::size_t>(request.limit); ++i) {
        json view = view_of(shape, std::move(records[i]));
        if (!wanted.empty())
            for (auto field = view.begin(); field != view.end();)
                field = wanted.contains(field.key()) ? std::next(field) : view.erase(field);
        page.push_back(std::move(view));
    }
    json answer = {{"inventories", std::move(page)}};
    if (request.reply_with_count) answer["total"] = total;
    return answer;
}

}  // namespace hvagent::inventory
