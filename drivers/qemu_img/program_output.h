// What qemu-img prints, by QEMU's qapi/block-core.json. It repeats what images from outside say, so nothing in it is taken
// on trust: Error(internal), with the beginning of the text, for what is no such answer.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "hvagent/units.h"

namespace hvagent {

struct PrintedInfo {
    Bytes virtual_size = 0;
    bool is_encrypted = false;
};
PrintedInfo read_printed_info(std::string_view text);

// What `measure` requires for a copy.
Bytes read_printed_measure(std::string_view text);

struct PrintedCheck {
    std::int64_t leaked_clusters = 0;
    std::int64_t corruptions = 0;
};
// Nothing: it printed no report, and its exit status says why.
std::optional<PrintedCheck> read_printed_check(std::string_view text);

struct PrintedExtent {
    Bytes start = 0;
    Bytes length = 0;        // 1 and more
    std::int64_t depth = 0;  // 0: of the top layer
    bool is_data = false;
    bool is_present = true;
};
// A line of `map`. Nothing: the line only frames the list.
std::optional<PrintedExtent> read_printed_extent(std::string_view line);

// "    (12.50/100%)"; nothing for any other line.
std::optional<int> read_printed_percent(std::string_view line);

}  // namespace hvagent
