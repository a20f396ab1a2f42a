#include "agent/identity/request_date.h"

#include <array>
#include <charconv>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/error.h"

namespace hvagent::identity {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int hour = 3600;
constexpr int westernmost = -12 * hour, easternmost = 14 * hour;

struct ClockFace {
    std::tm time{};
    std::string_view zone;
};

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}
    std::string_view rest() const { return rest_; }
    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    void skip_blanks() {
        while (take(" ")) {}
    }
    bool number(int& into, std::size_t most_digits) {
        const std::string_view digits = rest_.substr(0, most_digits);
        const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
        if (failure != std::errc() || into < 0) return false;
        rest_.remove_prefix(static_cast<std::size_t>(stop - digits.data()));
        return true;
    }
    bool month(int& into) {
        for (std::size_t i = 0; i < months.size(); ++i)
            if (take(months[i])) {
                into = static_cast<int>(i);
                return true;
            }
        return false;
    }
    bool clock(std::tm& time) {
        return number(time.tm_hour, 2) && take(":") && number(time.tm_min, 2) && take(":") && number(time.tm_sec, 2);
    }

private:
    std::string_view rest_;
};

std::optional<ClockFace> parse_rfc_1123(std::string_view text) {
    if (const auto comma = text.find(','); comma != std::string_view::npos) text.remove_prefix(comma + 1);
    Reader reader(text);
    ClockFace face;
    int year = 0;
    reader.skip_blanks();
    if (!reader.number(face.time.tm_mday, 2)) return std::nullopt;
    reader.skip_blanks();
    if (!reader.month(face.time.tm_mon)) return std::nullopt;
    reader.skip_blanks();
    if (!reader.number(year, 4)) return std::nullopt;
    reader.skip_blanks();
    if (!reader.clock(face.time)) return std::nullopt;
    reader.skip_blanks();
    face.time.tm_year = year - 1900;
    face.zone = reader.rest();
    return face;
}

std::optional<ClockFace> parse_iso_8601(std::string_view text) {
    Reader reader(text);
    ClockFace face;
    int year = 0, month = 0, fraction = 0;
    if (!reader.number(year, 4) || !reader.take("-") || !reader.number(month, 2) || !reader.take("-")) return std::nullopt;
    if (!reader.number(face.time.tm_mday, 2) || !(reader.take("T") || reader.take(" "))) return std::nullopt;
    if (!reader.clock(face.time)) return std::nullopt;
    if (reader.take(".") && !reader.number(fraction, 9)) return std::nullopt;
    face.time.tm_year = year - 1900;
    face.time.tm_mon = month - 1;
    face.zone = reader.rest();
    return face;
}

// Seconds east of Greenwich of "Z", "GMT", "+0800", "+08:00", "GMT+8", "+03"; nothing for names.
std::optional<int> known_offset(std::string_view zone) {
    if (zone == "CST") return 8 * hour;  // the literal of the Python SDK
    Reader reader(zone);
    const bool is_greenwich = reader.take("Z") || reader.take("GMT") || reader.take("UTC");
    if (reader.rest().empty()) return is_greenwich ? std::optional(0) : std::nullopt;
    const int sign = reader.take("+") ? 1 : reader.take("-") ? -1 : 0;
    int hours = 0, minutes = 0;
    if (sign == 0 || !reader.number(hours, 2)) return std::nullopt;
    reader.take(":");
    reader.number(minutes, 2);
    return reader.rest().empty() ? std::optional(sign * (hours * hour + minutes * 60)) : std::nullopt;
}

bool is_valid(const std::tm& time) {
    return time.tm_year >= 70 && time.tm_year < 1000 && time.tm_mon >= 0 && time.tm_mon < 12 && time.tm_mday >= 1 &&
           time.tm_mday <= 31 && time.tm_hour < 24 && time.tm_min < 60 && time.tm_sec <= 60;
}

}  // namespace

bool is_near(std::string_view text, Time now, seconds tolerance) {
    auto face = parse_rfc_1123(text);
    if (!face) face = parse_iso_8601(text);
    if (!face || !is_valid(face->time))
        throw Error(Code::bad_request, "the header 'Date' must look like \"Tue, 03 Jun 2025 10:11:12 GMT\", but is \"" +
                                           std::string(text.substr(0, 64)) + "\"");
    const std::int64_t wanted = std::chrono::system_clock::to_time_t(now);
    const auto near = [wanted, tolerance](std::int64_t reading) { return std::abs(reading - wanted) <= tolerance.count(); };
    std::tm copy = face->time;
    const std::int64_t as_utc = timegm(&copy);
    copy = face->time;
    copy.tm_isdst = -1;
    if (near(as_utc) || near(std::mktime(&copy))) return true;
    if (const auto offset = known_offset(face->zone)) return near(as_utc - *offset);
    const std::int64_t ahead = as_utc - wanted;
    return ahead >= westernmost - tolerance.count() && ahead <= easternmost + tolerance.count();
}

}  // namespace hvagent::identity
