#include "agent/operations/scheduler/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <vector>

#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using Names = std::vector<std::string_view>;
const Names month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
const Names weekday_names{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldKind {
    const char* name;
    int lowest;
    int highest;
    const Names* names = nullptr;  // of the values from `lowest` on
    bool goes_round = true;        // FRI-MON
};

[[noreturn]] void refuse(const std::string& field, const std::string& text, const std::string& why) {
    throw Error(Code::invalid_argument, "parameter 'cron': the " + field + " \"" + text + "\" " + why);
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : text)
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    bool inside = false;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t';
        if (!blank && !inside) words.emplace_back();
        if (!blank) words.back() += c;
        inside = !blank;
    }
    return words;
}

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

int value_in(const FieldKind& kind, const std::string& item, const std::string& text) {
    if (kind.names)
        for (std::size_t i = 0; i < kind.names->size(); ++i)
            if ((*kind.names)[i] == text) return kind.lowest + static_cast<int>(i);
    const auto number = number_in(text);
    if (!number) refuse(kind.name, item, "is not understood");
    if (*number < kind.lowest || *number > kind.highest)
        refuse(kind.name, item, "must be from " + std::to_string(kind.lowest) + " to " + std::to_string(kind.highest));
    return *number;
}

struct Range {
    int first;
    int last;
    int step = 1;
};

// "*", "5", "1-5", "22-2", with "/step" behind; "5/10" goes on to the end.
Range range_in(const FieldKind& kind, const std::string& item) {
    const auto slash = item.find('/');
    const std::string where = item.substr(0, slash);
    Range range{kind.lowest, kind.highest};
    const auto dash = where.find('-');
    if (where == "*" || (where.empty() && slash != std::string::npos)) {
        // all
    } else if (dash != std::string::npos) {
        range.first = value_in(kind, item, where.substr(0, dash));
        range.last = value_in(kind, item, where.substr(dash + 1));
    } else {
        range.first = value_in(kind, item, where);
        if (slash == std::string::npos) range.last = range.first;
    }
    if (slash != std::string::npos) {
        const auto step = number_in(std::string_view(item).substr(slash + 1));
        if (!step || *step < 1 || *step > kind.highest) refuse(kind.name, item, "has a step that cannot be");
        range.step = *step;
    }
    return range;
}

// The values of a list; a range may go over the end: FRI-MON.
std::vector<int> values_in(const FieldKind& kind, const std::string& text) {
    std::vector<int> values;
    for (const std::string& item : split(text, ',')) {
        if (item.empty()) refuse(kind.name, text, "has an empty item");
        const Range range = range_in(kind, item);
        if (range.last < range.first && !kind.goes_round) refuse(kind.name, item, "ends before it begins");
        const int count = kind.highest - kind.lowest + 1;
        const int last = range.last < range.first ? range.last + count : range.last;
        for (int value = range.first; value <= last; value += range.step)
            values.push_back(kind.lowest + (value - kind.lowest) % count);
    }
    return values;
}

template <std::size_t N>
void fill(std::bitset<N>& set, const FieldKind& kind, const std::string& text) {
    for (const int value : values_in(kind, text)) set.set(static_cast<std::size_t>(value));
}

// --- the calendar ---

bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_of(int year, int month) {
    constexpr std::array days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// 1 is Sunday.
int weekday_of(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    return static_cast<int>(std::chrono::weekday(std::chrono::sys_days(date)).c_encoding()) + 1;
}

// The Monday to Friday nearest to the day, in the same month.
int working_day_near(int year, int month, int day) {
    const int weekday = weekday_of(year, month, day);
    if (weekday == 7) return day == 1 ? 3 : day - 1;
    if (weekday == 1) return day == days_of(year, month) ? day - 2 : day + 1;
    return day;
}

std::tm local_time(std::int64_t unix_seconds) {
    const std::time_t time = unix_seconds;
    std::tm local{};
    localtime_r(&time, &local);
    return local;
}

// Whether the same civil time was there before, as after clocks went back.
bool comes_again(std::int64_t unix_seconds, const std::tm& local) {
    constexpr std::int64_t day = 86400;
    const std::int64_t lost = local_time(unix_seconds - day).tm_gmtoff - local.tm_gmtoff;
    if (lost <= 0) return false;
    const std::tm before = local_time(unix_seconds - lost);
    return before.tm_hour == local.tm_hour && before.tm_min == local.tm_min && before.tm_mday == local.tm_mday;
}

// Grows from day to day.
int number_of_day(int year, int month, int day) {
    return (year * 12 + month) * 31 + day;
}

std::int64_t midnight_of(int year, int month, int day) {
    std::tm civil{};
    civil.tm_year = year - 1900;
    civil.tm_mon = month - 1;
    civil.tm_mday = day;
    civil.tm_isdst = -1;
    return std::mktime(&civil);
}

int minute_of(const std::tm& local) {
    return local.tm_hour * 60 + local.tm_min;
}

}  // namespace

CronExpression::CronExpression(const std::string& text) {
    const std::vector<std::string> fields = words_of(upper(text));
    if (fields.size() != 6 && fields.size() != 7)
        throw Error(Code::invalid_argument, "parameter 'cron' has " + std::to_string(fields.size()) +
                                                " fields, but must have 6 or 7: seconds minutes hours day-of-month month "
                                                "day-of-week [year]");
    fill(seconds_, {"seconds", 0, 59}, fields[0]);
    fill(minutes_, {"minutes", 0, 59}, fields[1]);
    fill(hours_, {"hours", 0, 23}, fields[2]);
    every_hour_ = fields[2] == "*";
    fill(months_, {"month", 1, 12, &month_names}, fields[4]);
    by_weekday_ = fields[3] == "?";
    if (by_weekday_ == (fields[5] == "?"))
        throw Error(Code::invalid_argument,
                    "parameter 'cron' must have ? as day of month or as day of week, and only as one of them");
    by_weekday_ ? parse_days_of_week(fields[5]) : parse_days_of_month(fields[3]);
    const FieldKind year_kind{"year", first_year, last_year, nullptr, false};
    const std::string years = fields.size() == 7 ? fields[6] : "*";
    for (const int year : values_in(year_kind, years)) years_.set(static_cast<std::size_t>(year - first_year));
}

void CronExpression::parse_days_of_month(const std::string& text) {
    const FieldKind kind{"day of month", 1, 31};
    if (text.front() == 'L') {
        std::string rest = text.substr(1);
        day_rule_ = DayRule::last;
        if (rest.ends_with('W')) {
            day_rule_ = DayRule::last_working;
            rest.pop_back();
        }
        if (rest.empty()) return;
        const auto offset = rest.front() == '-' ? number_in(rest.substr(1)) : std::nullopt;
        if (!offset || *offset < 0 || *offset > 30) refuse(kind.name, text, "must be L, LW, L-<days> or L-<days>W");
        offset_ = *offset;
    } else if (text.ends_with('W')) {
        day_rule_ = DayRule::nearest_working;
        nth_ = value_in(kind, text, text.substr(0, text.size() - 1));
    } else {
        fill(days_, kind, text);
    }
}

void CronExpression::parse_days_of_week(const std::string& text) {
    const FieldKind kind{"day of week", 1, 7, &weekday_names};
    if (const auto sign = text.find('#'); sign != std::string::npos) {
        day_rule_ = DayRule::nth_weekday;
        weekday_ = value_in(kind, text, text.substr(0, sign));
        const auto nth = number_in(std::string_view(text).substr(sign + 1));
        if (!nth || *nth < 1 || *nth > 5) refuse(kind.name, text, "must have 1 to 5 behind #");
        nth_ = *nth;
    } else if (text == "L") {
        weekdays_.set(7);
    } else if (text.ends_with('L')) {
        day_rule_ = DayRule::last_weekday;
        weekday_ = value_in(kind, text, text.substr(0, text.size() - 1));
    } else {
        fill(weekdays_, kind, text);
    }
}

bool CronExpression::matches_day(int year, int month, int day) const {
    const int length = days_of(year, month);
    switch (day_rule_) {
        case DayRule::listed:
            return by_weekday_ ? weekdays_.test(static_cast<std::size_t>(weekday_of(year, month, day)))
                               : days_.test(static_cast<std::size_t>(day));
        case DayRule::last: return day == length - offset_;
        case DayRule::last_working: return length - offset_ >= 1 && day == working_day_near(year, month, length - offset_);
        case DayRule::nearest_working: return nth_ <= length && day == working_day_near(year, month, nth_);
        case DayRule::last_weekday: return weekday_of(year, month, day) == weekday_ && day + 7 > length;
        case DayRule::nth_weekday: return weekday_of(year, month, day) == weekday_ && (day - 1) / 7 + 1 == nth_;
    }
    return false;
}

std::optional<int> CronExpression::second_from(int from) const {
    for (int second = from; second < 60; ++second)
        if (seconds_.test(static_cast<std::size_t>(second))) return second;
    return std::nullopt;
}

// Goes over the day's minutes as they pass, so that a day has as many hours as it really has.
std::optional<Time> CronExpression::first_on_day(int year, int month, int day, std::int64_t after) const {
    const auto listed = [this](int minute) {
        return hours_.test(static_cast<std::size_t>(minute / 60)) && minutes_.test(static_cast<std::size_t>(minute % 60));
    };
    const int wanted = number_of_day(year, month, day);
    // A day may begin with a gap, where midnight does not exist.
    std::int64_t now = std::max(midnight_of(year, month, day) - 3600, after / 60 * 60);
    for (int before = minute_of(local_time(now - 60));; now += 60) {
        const std::tm local = local_time(now);
        const int today = number_of_day(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
        if (today > wanted) return std::nullopt;
        const int minute = minute_of(local);
        const int expected = before > minute + 720 ? 0 : before + 1;
        before = minute;
        if (today < wanted) continue;
        for (int skipped = expected; skipped < minute; ++skipped)
            if (!every_hour_ && now > after && listed(skipped)) return Time(seconds(now));
        if (!listed(minute) || (!every_hour_ && comes_again(now, local))) continue;
        if (const auto second = second_from(now > after ? 0 : static_cast<int>(after - now) + 1))
            return Time(seconds(now + *second));
    }
}

std::optional<Time> CronExpression::next(Time after) const {
    const std::int64_t from = std::chrono::floor<seconds>(after).time_since_epoch().count();
    const std::tm local = local_time(from);
    int year = local.tm_year + 1900, month = local.tm_mon + 1, day = local.tm_mday;
    for (; year <= last_year; ++year, month = 1) {
        if (year < first_year || !years_.test(static_cast<std::size_t>(year - first_year))) {
            day = 1;
            continue;
        }
        for (; month <= 12; ++month, day = 1) {
            if (!months_.test(static_cast<std::size_t>(month))) continue;
            for (; day <= days_of(year, month); ++day)
                if (matches_day(year, month, day))
                    if (const auto found = first_on_day(year, month, day, from)) return found;
        }
    }
    return std::nullopt;
}

}  // namespace hvagent::operations
