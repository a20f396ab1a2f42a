#include "agent/inventory/condition.h"

#include <strings.h>
#include <array>
#include <cctype>
#include <optional>

#include "agent/inventory/blanks.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

constexpr std::size_t longest_condition = 64 * 1024;
constexpr std::size_t deepest_join = 6;

struct Operator {
    std::string_view text;
    Comparison comparison;
};
// Longer ones first: the first match is the longest.
constexpr std::array operators{
    Operator{"!?=", Comparison::not_in},       Operator{"!~=", Comparison::not_like},  Operator{"!=", Comparison::not_equal},
    Operator{">=", Comparison::greater_equal}, Operator{"<=", Comparison::less_equal}, Operator{"?=", Comparison::in},
    Operator{"~=", Comparison::like},          Operator{"=", Comparison::equal},       Operator{">", Comparison::greater},
    Operator{"<", Comparison::less},
};

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    std::string shown(text.substr(0, 80));
    if (text.size() > 80) shown += "...";
    throw Error(Code::bad_request, "condition \"" + shown + "\": " + why);
}

bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// The last word of `text` is cut off if it is `word` and something stands before it.
bool take_last_word(std::string_view& text, std::string_view word) {
    if (text.size() <= word.size() || !is_same(text.substr(text.size() - word.size()), word)) return false;
    const std::string_view rest = text.substr(0, text.size() - word.size());
    if (rest.back() != ' ') return false;
    text = trimmed(rest);
    return true;
}

std::optional<Comparison> take_null_test(std::string_view& text) {
    std::string_view rest = trimmed(text);
    if (!take_last_word(rest, "null")) return std::nullopt;
    const bool negated = take_last_word(rest, "not");
    const bool has_is = take_last_word(rest, "is");
    if (!negated && !has_is) return std::nullopt;
    text = rest;
    return negated ? Comparison::not_null : Comparison::is_null;
}

void set_name(Condition& condition, std::string_view name) {
    if (name.empty()) refuse(condition.text, "there is no field name before the operator");
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t end = std::min(name.find('.', at), name.size());
        const std::string_view part = name.substr(at, end - at);
        if (part.empty()) refuse(condition.text, "an empty name between dots");
        for (char c : part)
            if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_')
                refuse(condition.text, "\"" + std::string(part.substr(0, 80)) + "\" is not the name of a field");
        if (end == name.size()) {
            condition.field = part;
        } else {
            condition.joins.emplace_back(part);
        }
        at = end + 1;
    }
    if (condition.joins.size() > deepest_join)
        refuse(condition.text, "more than " + std::to_string(deepest_join) + " joins");
}

}  // namespace

Condition parse_condition(std::string_view text) {
    if (text.size() > longest_condition) refuse(text, "longer than " + std::to_string(longest_condition) + " bytes");
    if (text.find('\0') != std::string_view::npos) refuse(text, "it contains a NUL byte");
    Condition condition;
    condition.text = text;
    const std::size_t at = text.find_first_of("=!<>?~");
    for (const Operator& one : operators) {
        if (at == std::string_view::npos || text.substr(at, one.text.size()) != one.text) continue;
        condition.comparison = one.comparison;
        condition.value = text.substr(at + one.text.size());
        if (condition.value.empty()) refuse(text, "there is no value after " + std::string(one.text));
        const bool is_null_word = is_same(trimmed(condition.value), "null");
        if (is_null_word && one.comparison == Comparison::equal) condition.comparison = Comparison::is_null;
        if (is_null_word && one.comparison == Comparison::not_equal) condition.comparison = Comparison::not_null;
        set_name(condition, trimmed(text.substr(0, at)));
        return condition;
    }
    std::string_view rest = text;
    if (const auto test = take_null_test(rest)) {
        condition.comparison = *test;
        set_name(condition, rest);
        return condition;
    }
    refuse(text, "there is no operator; known are = != > < >= <= ?= !?= ~= !~= 'is null' 'not null'");
}

}  // namespace hvagent::inventory
