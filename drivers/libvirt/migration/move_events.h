// libvirt's events of one move, posted to its MoveState as long as the listener lives.
#pragma once
#include <memory>

#include "drivers/libvirt/domain_listener.h"
#include "drivers/libvirt/migration/move_state.h"

namespace hvagent::libvirt {

DomainListener listen_to_move(const DomainCalls& calls, const VmId& vm, const std::shared_ptr<MoveState>& state);

}  // namespace hvagent::libvirt
