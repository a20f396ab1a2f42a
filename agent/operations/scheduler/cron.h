// Cron expressions as Quartz reads them: seconds minutes hours day-of-month month day-of-week [year].
#pragma once
#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "hvagent/clock.h"

namespace hvagent::operations {

// Times are local times of the host. Where clocks go forward a time that does not exist is kept right after the gap; where
// they go back a time that comes twice is kept the first time. Expressions with hours "*" name moments, not times: they
// miss nothing and repeat nothing either way.
class CronExpression {
public:
    // Error(invalid_argument) names the field and what is wrong with it.
    explicit CronExpression(const std::string& text);

    // The first moment after `after` (whole seconds); nullopt: there is none any more.
    std::optional<Time> next(Time after) const;

private:
    static constexpr int first_year = 1970;
    static constexpr int last_year = 2199;
    enum class DayRule {
        listed,           // days_ or weekdays_
        last,             // L-offset_ days of the month
        last_working,     // the working day nearest to it
        nearest_working,  // the working day nearest to nth_
        last_weekday,     // the last weekday_ of the month
        nth_weekday,      // the nth_ weekday_ of the month
    };

    void parse_days_of_month(const std::string& text);
    void parse_days_of_week(const std::string& text);
    bool matches_day(int year, int month, int day) const;
    // The first second of this civil minute that is listed and not before `from`.
    std::optional<int> second_from(int from) const;
    std::optional<Time> first_on_day(int year, int month, int day, std::int64_t after) const;

    std::bitset<60> seconds_;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;  // 1 is Sunday
    std::bitset<last_year - first_year + 1> years_;
    bool by_weekday_ = false;
    bool every_hour_ = false;
    DayRule day_rule_ = DayRule::listed;
    int offset_ = 0;
    int nth_ = 0;
    int weekday_ = 0;
};

}  // namespace hvagent::operations
