// A host whose shutdown the test announces.
#pragma once
#include <mutex>

#include "hvagent/drivers/host_services.h"

namespace hvagent {

class FakeHostServices final : public HostServices {
public:
    void start(HostServicesListener& listener) override { listener_ = &listener; }
    void stop() override { listener_ = nullptr; }
    void hold_shutdown(const std::string&) override { set_held(true); }
    void let_shutdown_go() override { set_held(false); }
    std::optional<milliseconds> longest_hold() const override { return gives; }
    std::optional<bool> goes_down() const override { return down; }
    std::string boot_id() const override { return boot; }
    std::string libvirt_trouble() const override { return ""; }
    std::string machine_name(const VmId& vm) override { return "qemu-1-" + vm.str(); }

    // Test
    void announce_shutdown() {
        down = true;
        listener_->on_shutdown();
    }
    void call_shutdown_off() {
        down = false;
        listener_->on_shutdown_called_off();
    }
    bool is_held() const {
        const std::lock_guard lock(mutex_);
        return held_;
    }

    std::optional<milliseconds> gives;
    std::optional<bool> down = false;
    std::string boot = "boot-1";

private:
    void set_held(bool held) {
        const std::lock_guard lock(mutex_);
        held_ = held;
    }
    HostServicesListener* listener_ = nullptr;
    mutable std::mutex mutex_;
    bool held_ = false;
};

}  // namespace hvagent
