// Quiet file systems of a guest, by its agent: for the moment in which its disks are frozen or copied.
#pragma once
#include <string>

#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call. Whether the agent answers; from then on every command to it is bounded in time, and no file system is
// frozen any more that was before.
bool prepare_guest_agent(virDomainPtr domain);
// To be called before file systems are frozen; false when it cannot be written down, and they must not be then.
bool mark_as_quiet(virDomainPtr domain);
// Tried several times: a command that came too late may still have frozen them. Returns false when the agent does not
// confirm it; the mark stays.
bool thaw_file_systems(virDomainPtr domain);
// Thaws what outlasted its moment. Error(vm_wrong_state): a paused guest cannot; Error(...): the agent did not confirm it.
void thaw_marked_file_systems(virDomainPtr domain, const std::string& what);

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
