// A transient scope: a unit of systemd around a process that it did not start.
#pragma once
#include <string>

namespace hvagent::systemd {

// Moves this process, and those that it starts from then on, from the unit it belongs to into a scope of its own, which no
// restart of that unit touches. systemd allows that to root, and to whom polkit gives org.freedesktop.systemd1.manage-units.
// Returns why it did not happen; empty: it did. Waits two seconds at most. `bus_address` empty: the system bus.
std::string enter_scope(const std::string& name, const std::string& description, const std::string& bus_address = "");

}  // namespace hvagent::systemd
