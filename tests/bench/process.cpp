#include "tests/bench/process.h"

#include <time.h>

#include <fstream>
#include <stdexcept>

namespace hvagent::bench {
namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

}  // namespace

fs::path find_process(const std::vector<std::string>& names) {
    for (const std::string& wanted : names)
        for (const auto& entry : fs::directory_iterator("/proc")) {
            const std::string name = entry.path().filename();
            if (name.find_first_not_of("0123456789") == std::string::npos && first_word(entry.path() / "comm") == wanted)
                return entry.path();
        }
    throw std::runtime_error("no process " + names.front() + " is to be seen");
}

double cpu_ms(const fs::path& process) {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(std::stoi(process.filename()), &clock) != 0 || clock_gettime(clock, &used) != 0)
        throw std::runtime_error("the CPU time of " + process.string() + " cannot be read");
    return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

}  // namespace hvagent::bench
