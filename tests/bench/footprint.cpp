#include <time.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/own_daemon.h"
#include "tests/bench/parts.h"

namespace hvagent::bench {
namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

fs::path find_agent() {
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos && first_word(entry.path() / "comm") == "hvagentd")
            return entry.path();
    }
    throw std::runtime_error("no process hvagentd is to be seen");
}

double kib_of(const fs::path& process, const std::string& key) {
    std::ifstream file(process / "status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1));
    return 0;
}

// On a CPU so far, threads that ended included. Finer than the ticks of /proc/PID/stat.
double cpu_ms(const fs::path& process) {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(std::stoi(process.filename()), &clock) != 0 || clock_gettime(clock, &used) != 0)
        throw std::runtime_error("the CPU time of " + process.string() + " cannot be read");
    return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

}  // namespace

json measure_footprint(const Sizes& sizes) {
    say("memory, and " + std::to_string(sizes.idle_seconds) + " s of idleness");
    const fs::path agent = find_agent();
    std::this_thread::sleep_for(std::chrono::seconds(2));  // what the calls before left to do
    const Moment began = Clock::now();
    const double before = cpu_ms(agent);
    std::this_thread::sleep_for(std::chrono::seconds(sizes.idle_seconds));
    const double used = cpu_ms(agent) - before;
    return {{"rss_mib", kib_of(agent, "VmRSS") / 1024},
            {"rss_anonymous_mib", kib_of(agent, "RssAnon") / 1024},
            {"threads", kib_of(agent, "Threads")},
            {"idle_cpu_percent", used / ms_since(began) * 100}};
}

json measure_ready(const std::string& hvagentd, const std::string& directory, const Sizes& sizes) {
    say("exec to ready, " + std::to_string(sizes.ready_rounds) + " rounds");
    OwnDaemon daemon(hvagentd, directory, system_uri, 18080);
    const double first = daemon.start();
    Samples again;
    for (int round = 0; round < sizes.ready_rounds; ++round) {
        daemon.stop();
        again.add(daemon.start());
    }
    return {{"with_a_new_store_ms", first}, {"ready", again.to_json()}};
}

}  // namespace hvagent::bench
