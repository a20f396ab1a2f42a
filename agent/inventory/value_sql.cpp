#include "agent/inventory/value_sql.h"

#include <strings.h>
#include <charconv>
#include <cmath>

#include "agent/inventory/blanks.h"
#include "agent/inventory/wire_date.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

constexpr std::size_t most_items = 4096;
constexpr std::size_t longest_pattern = 16 * 1024;  // SQLite takes 50,000 bytes, escapes may double them

[[noreturn]] void refuse(const Condition& condition, const std::string& why) {
    throw Error(Code::bad_request, "condition \"" + condition.text.substr(0, 80) + "\": " + why);
}

const char* operator_of(Comparison comparison) {
    switch (comparison) {
        case Comparison::equal: return " = ";
        case Comparison::not_equal: return " <> ";
        case Comparison::greater: return " > ";
        case Comparison::less: return " < ";
        case Comparison::greater_equal: return " >= ";
        case Comparison::less_equal: return " <= ";
        case Comparison::in: return " IN ";
        case Comparison::not_in: return " NOT IN ";
        case Comparison::like: return " LIKE ";
        case Comparison::not_like: return " NOT LIKE ";
        case Comparison::is_null: return " IS NULL";
        case Comparison::not_null: return " IS NOT NULL";
    }
    return "";
}

SqlValue number_of(const Condition& condition, std::string_view text) {
    text = trimmed(text);
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc{} && read.ptr == end) return whole;
    double real = 0;
    const auto read = std::from_chars(text.data(), end, real);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end || !std::isfinite(real))
        refuse(condition, "the value must be a number, but is \"" + std::string(text.substr(0, 40)) + "\"");
    return real;
}

SqlValue boolean_of(const Condition& condition, std::string_view text) {
    const std::string word(trimmed(text));
    if (strcasecmp(word.c_str(), "true") == 0 || word == "1") return std::int64_t{1};
    if (strcasecmp(word.c_str(), "false") == 0 || word == "0") return std::int64_t{0};
    refuse(condition, "the value must be true or false, but is \"" + word.substr(0, 40) + "\"");
}

SqlValue value_of(const Field& field, const Condition& condition, std::string_view text) {
    if (field.type == api::FieldType::boolean) return boolean_of(condition, text);
    if (field.type != api::FieldType::text) return number_of(condition, text);
    std::string value(text);
    if (field.identity)
        for (char& c : value)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return value;
}

Instant instant_of(const Condition& condition, std::string_view text) {
    if (const auto instant = parse_date(text)) return *instant;
    refuse(condition,
           "the value must be a date such as \"Nov 14, 2017 10:20:57 PM\", ISO 8601 or milliseconds since 1970, but is \"" +
               std::string(text.substr(0, 40)) + "\"");
}

// Stored dates have milliseconds; a value stands for the stretch of time it names.
SqlText compare_instant(const std::string& expression, Comparison comparison, const Instant& instant) {
    switch (comparison) {
        case Comparison::greater: return {expression + " >= ?", {instant.to_ms}};
        case Comparison::less: return {expression + " < ?", {instant.from_ms}};
        case Comparison::greater_equal: return {expression + " >= ?", {instant.from_ms}};
        case Comparison::less_equal: return {expression + " < ?", {instant.to_ms}};
        case Comparison::not_equal:
            return {"(" + expression + " < ? OR " + expression + " >= ?)", {instant.from_ms, instant.to_ms}};
        default: return {"(" + expression + " >= ? AND " + expression + " < ?)", {instant.from_ms, instant.to_ms}};
    }
}

// The commas of "Nov 14, 2017 10:20:57 PM" are no separators.
std::vector<Instant> instants_of(const Condition& condition) {
    std::vector<Instant> instants;
    const std::vector<std::string> items = items_of(condition);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const bool is_half = !parse_date(items[i]) && i + 1 < items.size();
        instants.push_back(instant_of(condition, is_half ? items[i] + "," + items[i + 1] : items[i]));
        if (is_half) ++i;
    }
    return instants;
}

SqlText compare_time(const std::string& expression, Comparison comparison, const Condition& condition) {
    const bool is_set = comparison == Comparison::in || comparison == Comparison::not_in;
    if (!is_set) return compare_instant(expression, comparison, instant_of(condition, condition.value));
    SqlText any;
    for (const Instant& instant : instants_of(condition)) {
        SqlText one = compare_instant(expression, Comparison::equal, instant);
        any.sql += (any.sql.empty() ? "" : " OR ") + one.sql;
        any.values.insert(any.values.end(), one.values.begin(), one.values.end());
    }
    any.sql = (comparison == Comparison::not_in ? "NOT (" : "(") + any.sql + ")";
    return any;
}

// What a pattern is held against: numbers in digits, dates as MySQL prints them.
std::string as_text(const Field& field, const std::string& expression) {
    switch (field.type) {
        case api::FieldType::text: return expression;
        case api::FieldType::boolean: return "CASE " + expression + " WHEN 0 THEN 'false' WHEN 1 THEN 'true' END";
        case api::FieldType::time:
            return "strftime('%Y-%m-%d %H:%M:%S', " + expression + " / 1000, 'unixepoch', 'localtime')";
        default: return "CAST(" + expression + " AS TEXT)";
    }
}

}  // namespace

std::string like_pattern(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        out += pattern[i];
        if (pattern[i] != '\\') continue;
        const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
        // A backslash that escapes nothing stands for itself.
        out += next == '%' || next == '_' || next == '\\' ? pattern[++i] : '\\';
    }
    return out;
}

std::vector<std::string> items_of(const Condition& condition) {
    std::vector<std::string> items;
    const std::string_view value = condition.value;
    for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(',', at), value.size());
        items.emplace_back(value.substr(at, end - at));
        at = end + 1;
    }
    if (items.size() > most_items) refuse(condition, "more than " + std::to_string(most_items) + " values");
    return items;
}

SqlText compare(const Field& field, const std::string& expression, Comparison comparison, const Condition& condition) {
    const std::string left = field.is_free_text() ? expression + " COLLATE NOCASE" : expression;
    switch (comparison) {
        case Comparison::is_null:
        case Comparison::not_null: return {expression + operator_of(comparison), {}};
        case Comparison::like:
        case Comparison::not_like:
            if (condition.value.size() > longest_pattern)
                refuse(condition, "a pattern longer than " + std::to_string(longest_pattern) + " bytes");
            return {as_text(field, expression) + operator_of(comparison) + "? ESCAPE '\\'", {like_pattern(condition.value)}};
        default: break;
    }
    if (field.type == api::FieldType::time) return compare_time(expression, comparison, condition);
    if (comparison != Comparison::in && comparison != Comparison::not_in)
        return {left + operator_of(comparison) + "?", {value_of(field, condition, condition.value)}};
    SqlText set{left + operator_of(comparison) + "(", {}};
    for (const std::string& item : items_of(condition)) {
        set.sql += set.values.empty() ? "?" : ", ?";
        set.values.push_back(value_of(field, condition, item));
    }
    set.sql += ")";
    return set;
}

}  // namespace hvagent::inventory
