#include "drivers/systemd/scope.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "drivers/systemd/bus_handles.h"
#include "hvagent/clock.h"

namespace hvagent::systemd {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds patience{1000};

bool is_in(const std::string& scope) {
    std::ifstream file("/proc/self/cgroup");
    const std::string groups{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return groups.find("/" + scope) != std::string::npos;
}

}  // namespace

std::string enter_scope(const std::string& name, const std::string& description, const std::string& bus_address) {
    int no_bus = 0;
    const Bus bus = open_bus(bus_address, patience, no_bus);
    if (!bus) return std::string("the message bus does not answer: ") + std::strerror(no_bus);
    BusError error;
    // A failed scope is forgotten by itself; "fail": never in the place of another unit.
    const int result = sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                          "org.freedesktop.systemd1.Manager", "StartTransientUnit", error.out(), nullptr,
                                          "ssa(sv)a(sa(sv))", name.c_str(), "fail", 3, "PIDs", "au", 1,
                                          static_cast<std::uint32_t>(::getpid()), "Description", "s", description.c_str(),
                                          "CollectMode", "s", "inactive-or-failed", 0);
    if (result < 0) return error.text();
    // The answer comes before the move.
    for (const auto begin = steady_clock::now(); steady_clock::now() - begin < patience;) {
        if (is_in(name)) return "";
        std::this_thread::sleep_for(milliseconds(5));
    }
    return "systemd took the request, and nothing came of it";
}

}  // namespace hvagent::systemd
