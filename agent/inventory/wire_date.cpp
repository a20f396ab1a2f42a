#include "agent/inventory/wire_date.h"

#include <strings.h>

#include <array>
#include <cctype>
#include <charconv>
#include <ctime>
#include "agent/inventory/blanks.h"

namespace hvagent::inventory {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t quarter_s = 900;  // zones change their offset at quarters of an hour only
constexpr std::int64_t day_s = 86400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

struct Civil {
    std::int64_t year;
    unsigned month;
    unsigned day;
};

// Days since 1970-01-01 to a date of the Gregorian calendar (years begin in March, eras have 400 years).
Civil civil_of(std::int64_t days) {
    days += 719468;
    const std::int64_t era = floor_div(days, 146097);
    const auto day_of_era = static_cast<unsigned>(days - era * 146097);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * month + 2) / 5 + 1;
    const unsigned civil_month = month < 10 ? month + 3 : month - 9;
    return {static_cast<std::int64_t>(year_of_era) + era * 400 + (civil_month <= 2 ? 1 : 0), civil_month, day};
}

void append_two(std::string& out, unsigned value) {
    out += static_cast<char>('0' + value / 10);
    out += static_cast<char>('0' + value % 10);
}

// Reads fields off the front of a text.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}
    bool done() const { return rest_.empty(); }
    char next() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(char c) {
        if (next() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void skip_blanks() {
        while (take(' ')) {}
    }
    std::optional<int> number(std::size_t most_digits) {
        std::size_t length = 0;
        while (length < rest_.size() && length < most_digits && std::isdigit(static_cast<unsigned char>(rest_[length])))
            ++length;
        if (length == 0) return std::nullopt;
        int value = 0;
        std::from_chars(rest_.data(), rest_.data() + length, value);
        rest_.remove_prefix(length);
        return value;
    }
    std::string_view word() {
        std::size_t length = 0;
        while (length < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[length]))) ++length;
        const std::string_view word = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return word;
    }

private:
    std::string_view rest_;
};

bool is_word(std::string_view word, std::string_view expected) {
    return word.size() == expected.size() && strncasecmp(word.data(), expected.data(), word.size()) == 0;
}

bool in_range(const std::tm& time) {
    return time.tm_year >= 0 && time.tm_mon >= 0 && time.tm_mon < 12 && time.tm_mday >= 1 && time.tm_mday <= 31 &&
           time.tm_hour <= 23 && time.tm_min <= 59 && time.tm_sec <= 60;
}

std::int64_t local_ms(std::tm time) {
    time.tm_isdst = -1;
    return static_cast<std::int64_t>(std::mktime(&time)) * 1000;
}

bool read_clock(Reader& reader, std::tm& time) {
    const auto hour = reader.number(2);
    if (!hour || !reader.take(':')) return false;
    const auto minute = reader.number(2);
    if (!minute || !reader.take(':')) return false;
    const auto second = reader.number(2);
    if (!second) return false;
    time.tm_hour = *hour;
    time.tm_min = *minute;
    time.tm_sec = *second;
    return true;
}

std::optional<Instant> parse_wire(std::string_view text) {
    Reader reader(text);
    std::tm time{};
    const std::string_view month = reader.word();
    time.tm_mon = -1;
    for (std::size_t i = 0; i < months.size(); ++i)
        if (is_word(month, months[i])) time.tm_mon = static_cast<int>(i);
    reader.skip_blanks();
    const auto day = reader.number(2);
    if (!day || !reader.take(',')) return std::nullopt;
    reader.skip_blanks();
    const auto year = reader.number(4);
    if (!year) return std::nullopt;
    reader.take(',');
    reader.skip_blanks();
    if (!read_clock(reader, time) || time.tm_hour < 1 || time.tm_hour > 12) return std::nullopt;
    reader.skip_blanks();
    const std::string_view half = reader.word();
    const bool afternoon = is_word(half, "PM");
    if (!reader.done() || (!afternoon && !is_word(half, "AM"))) return std::nullopt;
    time.tm_hour = time.tm_hour % 12 + (afternoon ? 12 : 0);
    time.tm_mday = *day;
    time.tm_year = *year - 1900;
    if (!in_range(time)) return std::nullopt;
    const std::int64_t ms = local_ms(time);
    return Instant{ms, ms + 1000};
}

// "Z", "+08:00", "+0800", "+08"; seconds east of Greenwich.
std::optional<int> read_offset(Reader& reader) {
    if (reader.take('Z') || reader.take('z')) return 0;
    const bool west = reader.next() == '-';
    if (!reader.take('+') && !reader.take('-')) return std::nullopt;
    const auto hours = reader.number(2);
    if (!hours) return std::nullopt;
    reader.take(':');
    const int offset = *hours * 3600 + reader.number(2).value_or(0) * 60;
    return west ? -offset : offset;
}

std::optional<Instant> parse_iso(std::string_view text) {
    Reader reader(text);
    std::tm time{};
    const auto year = reader.number(4);
    if (!year || !reader.take('-')) return std::nullopt;
    const auto month = reader.number(2);
    if (!month || !reader.take('-')) return std::nullopt;
    const auto day = reader.number(2);
    if (!day) return std::nullopt;
    time.tm_year = *year - 1900;
    time.tm_mon = *month - 1;
    time.tm_mday = *day;
    if (reader.done()) {
        if (!in_range(time)) return std::nullopt;
        const std::int64_t ms = local_ms(time);
        return Instant{ms, ms + 1000};
    }
    if (!reader.take('T') && !reader.take('t') && !reader.take(' ')) return std::nullopt;
    if (!read_clock(reader, time) || !in_range(time)) return std::nullopt;
    std::int64_t fraction_ms = 0;
    std::int64_t width_ms = 1000;
    if (reader.take('.')) {
        width_ms = 1;
        if (!std::isdigit(static_cast<unsigned char>(reader.next()))) return std::nullopt;
        for (int scale = 100; std::isdigit(static_cast<unsigned char>(reader.next())); scale /= 10)
            fraction_ms += static_cast<std::int64_t>(scale) * *reader.number(1);  // finer digits than we keep count 0
    }
    reader.skip_blanks();
    if (reader.done()) {
        const std::int64_t ms = local_ms(time) + fraction_ms;
        return Instant{ms, ms + width_ms};
    }
    const auto offset = read_offset(reader);
    if (!offset || !reader.done()) return std::nullopt;
    const std::int64_t ms = (static_cast<std::int64_t>(timegm(&time)) - *offset) * 1000 + fraction_ms;
    return Instant{ms, ms + width_ms};
}

}  // namespace

void WireDate::append(std::string& out, std::int64_t unix_ms) {
    const std::int64_t utc = floor_div(unix_ms, 1000);
    if (const std::int64_t quarter = floor_div(utc, quarter_s); quarter != quarter_) {
        const auto seconds = static_cast<std::time_t>(utc);
        std::tm local{};
        localtime_r(&seconds, &local);
        offset_s_ = local.tm_gmtoff;
        quarter_ = quarter;
    }
    const std::int64_t local = utc + offset_s_;
    const std::int64_t days = floor_div(local, day_s);
    const auto second_of_day = static_cast<unsigned>(local - days * day_s);
    const Civil date = civil_of(days);
    const unsigned hour = second_of_day / 3600;
    out += months[date.month - 1];
    out += ' ';
    out += std::to_string(date.day);
    out += ", ";
    out += std::to_string(date.year);
    out += ' ';
    out += std::to_string(hour % 12 == 0 ? 12 : hour % 12);
    out += ':';
    append_two(out, second_of_day / 60 % 60);
    out += ':';
    append_two(out, second_of_day % 60);
    out += hour < 12 ? " AM" : " PM";
}

std::string WireDate::text(std::int64_t unix_ms) {
    std::string out;
    append(out, unix_ms);
    return out;
}

std::optional<Instant> parse_date(std::string_view text) {
    text = trimmed(text);
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error == std::errc{} && end == text.data() + text.size()) return Instant{ms, ms + 1};
    if (const auto wire = parse_wire(text)) return wire;
    return parse_iso(text);
}

}  // namespace hvagent::inventory
