#include "drivers/procfs/host_load.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hvagent::procfs {
namespace {

double ticks_per_second() {
    static const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return ticks;
}

std::map<std::string, Bytes> meminfo(const std::string& text) {
    std::map<std::string, Bytes> values;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name, unit;
        Bytes number = 0;
        if (!(words >> name >> number) || name.empty()) continue;
        words >> unit;
        name.pop_back();  // ':'
        values[name] = unit == "kB" ? number * KiB : number;
    }
    return values;
}

// "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guest time is part of user time.
void read_cpus(const std::string& text, HostLoad& load) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("cpu", 0) != 0) break;
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (name != "cpu") {
            ++load.cpus_online;
            continue;
        }
        double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
        words >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
        const double tick = 1 / ticks_per_second();
        load.cpu_seconds = {{"user", (user + nice) * tick},
                            {"system", (system + irq + softirq) * tick},
                            {"idle", idle * tick},
                            {"iowait", iowait * tick},
                            {"steal", steal * tick}};
    }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
std::optional<Pressure> read_pressure(const std::string& text) {
    std::optional<Pressure> pressure;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        char kind[8] = {};
        Pressure::Line values;
        unsigned long long total = 0;
        if (std::sscanf(line.c_str(), "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", kind, &values.last_10_s,
                        &values.last_60_s, &values.last_300_s, &total) != 5)
            continue;
        values.waited_us = total;
        if (!pressure) pressure.emplace();
        if (std::string_view(kind) == "full")
            pressure->full = values;
        else
            pressure->some = values;
    }
    return pressure;
}

Time boot_time(const std::string& stat) {
    const auto at = stat.find("\nbtime ");
    return at == std::string::npos ? Time{} : from_unix_ms(std::atoll(stat.c_str() + at + 7) * 1000);
}

std::uint64_t number_of(const std::string& text) {
    return std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

std::string ProcHostLoad::read(const std::string& path) const {
    std::ifstream file(root_ + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

HostLoad ProcHostLoad::host() {
    HostLoad load;
    std::istringstream(read("/proc/loadavg")) >> load.load_1_min >> load.load_5_min >> load.load_15_min;
    const auto memory = meminfo(read("/proc/meminfo"));
    const auto value = [&](const char* name) { return memory.contains(name) ? memory.at(name) : 0; };
    load.memory_total = value("MemTotal");
    load.memory_available = value("MemAvailable");
    load.swap_total = value("SwapTotal");
    load.swap_free = value("SwapFree");
    read_cpus(read("/proc/stat"), load);
    for (const char* resource : {"cpu", "memory", "io"})
        if (auto pressure = read_pressure(read(std::string("/proc/pressure/") + resource)))
            load.pressure[resource] = *pressure;
    std::error_code none;
    const std::string pools = "/sys/kernel/mm/hugepages";
    for (const auto& pool : std::filesystem::directory_iterator(root_ + pools, none)) {
        const std::string name = pool.path().filename();  // "hugepages-2048kB"
        const std::string path = pools + "/" + name;
        if (name.rfind("hugepages-", 0) != 0) continue;
        load.huge_pages.push_back({static_cast<Bytes>(number_of(name.substr(10))) * KiB,
                                   number_of(read(path + "/nr_hugepages")), number_of(read(path + "/free_hugepages"))});
    }
    std::sort(load.huge_pages.begin(), load.huge_pages.end(),
              [](const HugePages& a, const HugePages& b) { return a.size < b.size; });
    return load;
}

std::optional<ProcessLoad> ProcHostLoad::process(const std::string& pid) const {
    const std::string stat = read("/proc/" + pid + "/stat");
    const auto name_end = stat.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream words(stat.substr(name_end + 1));
    std::string state, skipped;
    double user = 0, system = 0, started = 0;
    std::int64_t pages = 0;
    ProcessLoad load;
    words >> state;
    for (int i = 0; i < 10; ++i) words >> skipped;  // ppid to cmajflt
    words >> user >> system;
    for (int i = 0; i < 4; ++i) words >> skipped;  // cutime to nice
    words >> load.threads >> skipped >> started >> load.virtual_size >> pages;
    if (!words) return std::nullopt;
    load.cpu_seconds = (user + system) / ticks_per_second();
    load.rss = pages * sysconf(_SC_PAGESIZE);
    load.started =
        boot_time(read("/proc/stat")) + milliseconds(static_cast<std::int64_t>(started * 1000 / ticks_per_second()));
    return load;
}

ProcessLoad ProcHostLoad::own_process() {
    ProcessLoad load = process("self").value_or(ProcessLoad{});
    std::error_code none;
    const auto files = std::filesystem::directory_iterator(root_ + "/proc/self/fd", none);
    load.open_files = static_cast<int>(std::distance(begin(files), end(files)));
    return load;
}

std::optional<ProcessLoad> ProcHostLoad::process_of(const std::string& pid_file) {
    const auto pid = number_of(read(pid_file));
    return pid == 0 ? std::nullopt : process(std::to_string(pid));
}

}  // namespace hvagent::procfs
