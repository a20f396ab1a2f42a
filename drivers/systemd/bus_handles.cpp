#include "drivers/systemd/bus_handles.h"

namespace hvagent::systemd {

Bus open_bus(const std::string& address, std::chrono::microseconds call_timeout, int& error) {
    sd_bus* made = nullptr;
    int result = 0;
    if (address.empty()) {
        result = sd_bus_open_system(&made);
    } else if ((result = sd_bus_new(&made)) >= 0) {
        sd_bus_set_address(made, address.c_str());
        sd_bus_set_bus_client(made, 1);
        result = sd_bus_start(made);
    }
    Bus bus(made);
    error = result < 0 ? -result : 0;
    if (result < 0) return nullptr;
    sd_bus_set_method_call_timeout(bus.get(), static_cast<std::uint64_t>(call_timeout.count()));
    return bus;
}

}  // namespace hvagent::systemd
