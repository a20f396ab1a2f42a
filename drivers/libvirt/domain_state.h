// libvirt's states, reasons and lifecycle events as VmState and a reason in words.
#pragma once
#include <optional>
#include <string>

#include "hvagent/model/vm.h"

namespace hvagent::libvirt {

struct StateAndReason {
    VmState state = VmState::no_state;
    std::string reason;
    bool operator==(const StateAndReason&) const = default;
};

// The reason of a VM that libvirt shows as paused because it is just being started.
inline constexpr const char* starting_up = "starting up";

// From virDomainGetState: a virDomainState and its reason.
StateAndReason state_of(int state, int reason);
// From a lifecycle event and its detail; nullopt for those that change no state (defined, undefined).
std::optional<StateAndReason> state_after(int event, int detail);

}  // namespace hvagent::libvirt
