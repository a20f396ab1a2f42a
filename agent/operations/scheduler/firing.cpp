#include "agent/operations/scheduler/firing.h"

#include <algorithm>
#include <ctime>

#include "agent/operations/scheduler/cron.h"

namespace hvagent::operations {
namespace {

constexpr std::int64_t far_future = 7258118400;  // 2200: dates behind it cannot be shown

std::int64_t to_seconds(Time time) {
    return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

std::uint64_t mixed(std::uint64_t value) {  // splitmix64
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

// The same for the same moment, so that a firing whose record was lost in a crash is not done twice.
std::string uuid_of_firing(const std::string& scheduler, Time due) {
    const std::uint64_t high = std::stoull(scheduler.substr(0, 16), nullptr, 16);
    const std::uint64_t low = std::stoull(scheduler.substr(16), nullptr, 16);
    const auto when = static_cast<std::uint64_t>(to_seconds(due));
    char text[33];
    std::snprintf(text, sizeof text, "%016lx%016lx", mixed(high ^ when), mixed(low + when));
    text[12] = '4';  // version and variant of a random uuid
    text[16] = '8';
    return text;
}

std::string local_stamp(Time time) {
    const std::time_t unix_seconds = to_seconds(time);
    std::tm local{};
    localtime_r(&unix_seconds, &local);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &local);
    return text;
}

}  // namespace

std::optional<Time> next_firing(const Scheduler& scheduler, Time after) {
    if (scheduler.type == SchedulerType::cron)
        return CronExpression(scheduler.cron).next(std::max(after, scheduler.start - seconds(1)));
    const std::int64_t start = to_seconds(scheduler.start), from = to_seconds(after);
    const std::int64_t index = from < start ? 0 : (from - start) / scheduler.interval + 1;
    if (scheduler.repeat_count > 0 && index >= scheduler.repeat_count) return std::nullopt;
    const std::int64_t due = start + index * scheduler.interval;
    return due < far_future ? std::optional(Time(seconds(due))) : std::nullopt;
}

std::optional<Time> last_firing(const Scheduler& scheduler) {
    if (scheduler.type != SchedulerType::simple || scheduler.repeat_count == 0) return std::nullopt;
    const std::int64_t last = to_seconds(scheduler.start) + std::int64_t{scheduler.repeat_count - 1} * scheduler.interval;
    return last < far_future ? std::optional(Time(seconds(last))) : std::nullopt;
}

nlohmann::json snapshot_request(const Scheduler& scheduler, Time due) {
    const nlohmann::json data = nlohmann::json::parse(scheduler.job_data);
    nlohmann::json request{{"volumeUuid", scheduler.target},
                           {"name", data.at("name").get<std::string>() + "-" + local_stamp(due)},
                           {"resourceUuid", uuid_of_firing(scheduler.uuid.str(), due)}};
    if (data.contains("description")) request["description"] = data["description"];
    return request;
}

}  // namespace hvagent::operations
