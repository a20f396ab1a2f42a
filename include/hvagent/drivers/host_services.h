// The host as its service manager shows it: its shutdown, and the units of libvirt.
#pragma once
#include <optional>
#include <string>

#include "hvagent/clock.h"
#include "hvagent/ids.h"

namespace hvagent {

class HostServicesListener {
public:
    virtual ~HostServicesListener() = default;
    // The host goes down, as soon as nobody holds it back any more. From one thread; must not block.
    virtual void on_shutdown() = 0;
    // It was called off.
    virtual void on_shutdown_called_off() = 0;
};

// Thread-safe. A host without a service manager has none of this: nothing is held, nothing happens, nothing is known.
class HostServices {
public:
    virtual ~HostServices() = default;
    // Connects, and reconnects for ever, until stop(). `listener` must outlive the connection. A shutdown that has begun
    // already is told at once.
    virtual void start(HostServicesListener& listener) = 0;
    virtual void stop() = 0;

    // From now on a shutdown waits for let_shutdown_go(), but no longer than longest_hold(). `why` is shown to who asks
    // the host what it waits for.
    virtual void hold_shutdown(const std::string& why) = 0;
    virtual void let_shutdown_go() = 0;
    // nullopt: not known.
    virtual std::optional<milliseconds> longest_hold() const = 0;
    // Whether the host is on its way down; nullopt: not known.
    virtual std::optional<bool> goes_down() const = 0;
    // Another one after each boot of the host.
    virtual std::string boot_id() const = 0;

    // "libvirtd.service is failed (exit-code)"; empty when all is well or nothing is known.
    virtual std::string libvirt_trouble() const = 0;
    // What the host's register of machines calls the VM ("qemu-3-<uuid>"); empty: not there. May block for seconds.
    virtual std::string machine_name(const VmId& vm) = 0;
};

}  // namespace hvagent
