// What is known of a guest from outside, as answers and reports tell it.
#pragma once
#include <nlohmann/json.hpp>

#include "hvagent/drivers/vm_guests.h"

namespace hvagent::state {

// {"guestAgent": "Connected"|"Disconnected", "addresses": [{"address", "prefix", "source": "dhcp"|"guestAgent", "mac"?,
// "interface"?}], "hostname"?, "failure"?}. What a guest says of itself is bounded; its loopback is left out.
nlohmann::json guest_part(const GuestSight& sight);

}  // namespace hvagent::state
