// systemd over its message bus: logind's announcement of shutdowns, and the units of libvirt.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drivers/systemd/bus_connection.h"
#include "hvagent/drivers/host_services.h"

namespace hvagent::systemd {

struct SystemdSettings {
    std::string bus_address;  // empty: the system bus
    // Only those that exist are followed.
    std::vector<std::string> libvirt_units{"libvirtd.service", "virtqemud.service"};
};

class SystemdHost final : public HostServices {
public:
    explicit SystemdHost(SystemdSettings settings = {});
    ~SystemdHost() override;

    void start(HostServicesListener& listener) override;
    void stop() override;
    void hold_shutdown(const std::string& why) override;
    void let_shutdown_go() override;
    std::optional<milliseconds> longest_hold() const override;
    std::optional<bool> goes_down() const override;
    std::string boot_id() const override;
    std::string libvirt_trouble() const override;
    std::string machine_name(const VmId& vm) override;

private:
    void follow(sd_bus& bus);
    void forget();
    void read_logind(sd_bus& bus);
    void take_hold(sd_bus& bus);
    void read_unit(sd_bus& bus, const std::string& unit);
    void tell_shutdown(bool begins);
    static int on_prepare(sd_bus_message* message, void* self, sd_bus_error*);
    static int on_unit_change(sd_bus_message* message, void* self, sd_bus_error*);
    static int on_owner_change(sd_bus_message* message, void* self, sd_bus_error*);

    const SystemdSettings settings_;
    HostServicesListener* listener_ = nullptr;
    mutable std::mutex mutex_;
    std::string why_;  // empty: nothing is to be held
    int hold_ = -1;    // logind's file descriptor; a shutdown waits while it is open
    std::optional<milliseconds> longest_hold_;
    std::optional<bool> goes_down_;
    std::map<std::string, std::string> troubles_;  // by unit
    BusConnection connection_;                     // last: its thread uses the others
};

}  // namespace hvagent::systemd
