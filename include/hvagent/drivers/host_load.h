// How busy the host and the daemon's own process are.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent {

// Share of the last 10, 60 and 300 seconds (0 to 100) in which some, or all, tasks waited for the resource.
struct Pressure {
    struct Line {
        double last_10_s = 0, last_60_s = 0, last_300_s = 0;
        std::uint64_t waited_us = 0;  // since boot
    };
    Line some;
    std::optional<Line> full;  // older kernels know none for the CPU
};

struct HugePages {
    Bytes size = 0;  // of one page
    std::uint64_t total = 0;
    std::uint64_t free = 0;
};

struct HostLoad {
    double load_1_min = 0, load_5_min = 0, load_15_min = 0;
    int cpus_online = 0;
    Bytes memory_total = 0;
    Bytes memory_available = 0;
    Bytes swap_total = 0;
    Bytes swap_free = 0;
    // "busy", "idle", "iowait", "steal": seconds of all CPUs together since boot.
    std::map<std::string, double> cpu_seconds;
    std::map<std::string, Pressure> pressure;  // "cpu", "memory", "io"; empty: the kernel has no PSI
    std::vector<HugePages> huge_pages;         // by size
};

struct ProcessLoad {
    double cpu_seconds = 0;
    Bytes rss = 0;
    Bytes virtual_size = 0;
    int threads = 0;
    int open_files = 0;
    Time started{};
};

// Thread-safe. What the kernel does not tell stays 0, empty or absent.
class HostLoadSource {
public:
    virtual ~HostLoadSource() = default;
    virtual HostLoad host() = 0;
    virtual ProcessLoad own_process() = 0;
    // Resident memory of the daemon with this pid file's process; absent when it does not run.
    virtual std::optional<ProcessLoad> process_of(const std::string& pid_file) = 0;
};

}  // namespace hvagent
