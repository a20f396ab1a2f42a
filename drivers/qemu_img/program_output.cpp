#include "drivers/qemu_img/program_output.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "hvagent/error.h"

namespace hvagent {
namespace {

using nlohmann::json;

// One answer of one command, whose fields are asked for by name and kind.
class Printed {
public:
    Printed(const char* command, std::string_view text)
        : command_(command), text_(text), answer_(json::parse(text, nullptr, false)) {}

    bool is_report() const { return answer_.is_object(); }

    std::int64_t number(const char* name, std::optional<std::int64_t> otherwise = std::nullopt) const {
        const json* const field = find(name);
        if (!field && otherwise) return *otherwise;
        if (!field || !field->is_number_integer() || (!field->is_number_unsigned() && field->get<std::int64_t>() < 0) ||
            field->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
            refuse();
        return field->get<std::int64_t>();
    }
    bool truth(const char* name, bool otherwise) const {
        const json* const field = find(name);
        if (!field) return otherwise;
        if (!field->is_boolean()) refuse();
        return field->get<bool>();
    }
    [[noreturn]] void refuse() const {
        constexpr std::size_t shown = 200;
        throw Error(Code::internal,
                    std::string("qemu-img ") + command_ + " printed \"" + std::string(text_.substr(0, shown)) + "\"");
    }

private:
    const json* find(const char* name) const {
        if (!is_report()) refuse();
        const auto field = answer_.find(name);
        return field == answer_.end() ? nullptr : &*field;
    }

    const char* const command_;
    const std::string_view text_;
    const json answer_;
};

}  // namespace

PrintedInfo read_printed_info(std::string_view text) {
    const Printed info("info", text);
    return {info.number("virtual-size"), info.truth("encrypted", false)};
}

Bytes read_printed_measure(std::string_view text) {
    return Printed("measure", text).number("required");
}

std::optional<PrintedCheck> read_printed_check(std::string_view text) {
    const Printed check("check", text);
    if (!check.is_report()) return std::nullopt;
    (void)check.number("check-errors");
    return PrintedCheck{check.number("leaks", 0), check.number("corruptions", 0)};
}

std::optional<PrintedExtent> read_printed_extent(std::string_view line) {
    const std::size_t begin = line.find('{');
    const std::size_t end = line.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;  // "]"
    const Printed printed("map", line.substr(begin, end - begin + 1));
    const PrintedExtent extent{printed.number("start"), printed.number("length"), printed.number("depth", 0),
                               printed.truth("data", false), printed.truth("present", true)};
    if (extent.length == 0 || extent.start > std::numeric_limits<Bytes>::max() - extent.length) printed.refuse();
    return extent;
}

std::optional<int> read_printed_percent(std::string_view line) {
    const std::size_t begin = line.find('(');
    if (begin == std::string_view::npos || line.find("/100%)") == std::string_view::npos) return std::nullopt;
    return std::clamp(std::atoi(std::string(line.substr(begin + 1)).c_str()), 0, 100);
}

}  // namespace hvagent
