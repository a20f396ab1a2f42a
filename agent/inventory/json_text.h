// Strings as JSON text.
#pragma once
#include <string>
#include <string_view>

namespace hvagent::inventory {

// Appends `text` in quotes. Bytes that are no UTF-8 become U+FFFD: an answer is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace hvagent::inventory
