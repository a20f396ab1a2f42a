// Dates as the contract writes them: "Nov 14, 2017 10:20:57 PM" in the zone of the server.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hvagent::inventory {

// Not thread-safe: remembers the zone's offset of the quarter of an hour it saw last, since asking the C library costs more
// than all the rest of a view.
class WireDate {
public:
    void append(std::string& out, std::int64_t unix_ms);
    std::string text(std::int64_t unix_ms);

private:
    std::int64_t quarter_ = INT64_MIN;
    std::int64_t offset_s_ = 0;
};

// A stretch of time [from_ms, to_ms): a text names a whole second, or a millisecond.
struct Instant {
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;
};
// The form of the wire (server zone), ISO 8601 ("2017-11-14T22:20:57.5Z", "2017-11-14 22:20:57", "2017-11-14" is its first
// second; without a zone: the server's), or milliseconds since 1970.
std::optional<Instant> parse_date(std::string_view text);

}  // namespace hvagent::inventory
