// The states of all our domains, in as few calls as libvirt allows, and which of them outlasted a moment they were held for.
#pragma once
#include <vector>

#include "drivers/libvirt/observer_inbox.h"
#include "drivers/libvirt/owned_domains.h"

namespace hvagent::libvirt {

// One call for all states; one more for each domain whose mark is not known yet.
std::vector<SeenDomain> take_picture(virConnectPtr connection, OwnedDomains& owned);
// The same with `held`, which asks twice more for each domain that is on.
std::vector<SeenDomain> take_first_picture(virConnectPtr connection, OwnedDomains& owned);

}  // namespace hvagent::libvirt
