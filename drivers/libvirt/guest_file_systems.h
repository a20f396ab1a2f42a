// Quiet file systems of a guest, by its agent: for the moment in which its disks are frozen or copied.
#pragma once
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call. Whether the agent answers; from then on every command to it is bounded in time, and no file system is
// frozen by an earlier life of the daemon.
bool prepare_guest_agent(virDomainPtr domain);
// Tried several times: a command that came too late may still have frozen them. Returns false when the agent does not
// confirm it.
bool thaw_file_systems(virDomainPtr domain);

// Freezes them when made, if the agent can; thaws them at its end whatever happened.
class QuietFileSystems {
public:
    explicit QuietFileSystems(virDomainPtr domain);
    ~QuietFileSystems();
    QuietFileSystems(const QuietFileSystems&) = delete;
    QuietFileSystems& operator=(const QuietFileSystems&) = delete;

    bool are_quiet() const { return quiet_; }

private:
    virDomainPtr domain_;
    bool asked_ = false;
    bool quiet_ = false;
};

}  // namespace hvagent::libvirt
