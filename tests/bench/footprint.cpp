#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/own_daemon.h"
#include "tests/bench/parts.h"
#include "tests/bench/process.h"

namespace hvagent::bench {
namespace {

namespace fs = std::filesystem;

double kib_of(const fs::path& process, const std::string& key) {
    std::ifstream file(process / "status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1));
    return 0;
}

}  // namespace

json measure_footprint(const Sizes& sizes) {
    say("memory, and " + std::to_string(sizes.idle_seconds) + " s of idleness");
    const fs::path agent = find_process({"hvagentd"});
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
