// When the host goes down: guests are stopped within the time it gives, and those that ran come back after its next boot.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "agent/state/vm_states.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/host_services.h"
#include "hvagent/drivers/vm_power.h"

namespace hvagent::state {

struct ShutdownSettings {
    bool stop_guests = true;      // false: they are left to whoever stops libvirt
    bool restart = true;          // what ran
    milliseconds budget{0};       // for all guests together; 0: all that the host gives
    milliseconds unknown{30000};  // the budget where the host does not say what it gives
};

struct ShutdownParts {
    inventory::Inventory& inventory;
    VmStates& states;
    VmPower& power;
    HostServices& host;
    const Clock& clock;
    std::function<void(const std::string& operation, const nlohmann::json& arguments)> submit;
    std::function<void(const std::string& event, const std::string& details)> report;
};

// Thread-safe. Stops and starts are jobs like everybody's: in order of each VM, as many at once as jobs of their class may.
class ShutdownKeeper final : public HostServicesListener {
public:
    ShutdownKeeper(ShutdownParts parts, ShutdownSettings settings);
    ~ShutdownKeeper() override { stop(); }

    // Once jobs are accepted: takes hold of the host, and starts what ran before its last shutdown.
    void start();
    void stop();

    bool goes_down() const;
    // Error(not_ready) from the announcement of a shutdown on: nothing may start any more.
    void require_host_stays() const;
    // When the plug of a guest that goes on is pulled; far away while no shutdown is announced.
    Moment guests_stop_by() const;

    void on_shutdown() override;
    void on_shutdown_called_off() override;

private:
    // Of one shutdown.
    struct Schedule {
        Moment stop_by = Moment::max();  // jobs that stop a guest pull its plug
        Moment pull_at = Moment::max();  // what runs still is stuck: no job is asked any more
        Moment end = Moment::max();      // the host goes down
    };
    void run(void (ShutdownKeeper::*work)());
    void shut_down();
    milliseconds find_budget() const;
    void stop_guests(Moment until);
    void stop_guest(const Vm& vm, std::int64_t order);
    void pull_plugs(Moment until);
    void pull_plug(const VmId& vm);
    void bring_back();
    std::vector<Vm> list_marked() const;
    void forget_mark(const VmId& vm);
    std::vector<Vm> list_running() const;  // in the order in which they are stopped
    std::uint64_t news() const;
    // After `known` news; false: `until` has come, or the work is to end.
    bool wait_for_change(std::uint64_t known, Moment until);
    bool is_over() const;
    void hold_host();

    const ShutdownParts parts_;
    const ShutdownSettings settings_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t news_ = 0;
    bool goes_down_ = false;
    bool stopping_ = false;
    Schedule schedule_;
    std::vector<std::thread> threads_;
};

}  // namespace hvagent::state
