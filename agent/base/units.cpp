#include "hvagent/units.h"

#include <array>
#include <cstdio>

namespace hvagent {

std::string human_size(Bytes bytes) {
    constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1024 && unit + 1 < names.size()) {
        size /= 1024;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", size, names[unit]);
    return text;
}

}  // namespace hvagent
