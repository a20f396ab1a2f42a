#include "hvagent/clock.h"

#include <cstdio>
#include <ctime>

namespace hvagent {

std::string iso_time(Time time) {
    const std::int64_t ms = to_unix_ms(time);
    const std::time_t whole = ms / 1000;
    std::tm utc{};
    gmtime_r(&whole, &utc);
    char text[40];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(ms % 1000));
    return text;
}

}  // namespace hvagent
