// libvirt's events of one move, posted to its MoveState as long as this lives.
#pragma once
#include <memory>

#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/migration/move_state.h"

namespace hvagent::libvirt {

class MoveEvents {
public:
    // Without events (libvirt refuses or is lost) the follower looks now and then.
    MoveEvents(const DomainCalls& calls, const VmId& vm, const std::shared_ptr<MoveState>& state);
    ~MoveEvents();
    MoveEvents(const MoveEvents&) = delete;
    MoveEvents& operator=(const MoveEvents&) = delete;

private:
    struct Registration;
    const DomainCalls calls_;
    const VmId vm_;
    std::shared_ptr<Registration> registration_;
};

}  // namespace hvagent::libvirt
