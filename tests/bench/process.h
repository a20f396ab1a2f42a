// A process of this host, found by its name.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace hvagent::bench {

// Its directory below /proc; the first of `names` that runs. Throws when none does.
std::filesystem::path find_process(const std::vector<std::string>& names);
// On a CPU so far, threads that ended included. Finer than the ticks of /proc/PID/stat.
double cpu_ms(const std::filesystem::path& process);

}  // namespace hvagent::bench
