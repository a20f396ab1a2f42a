// The record of this host as answers show it.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// Brings the record up to date. Never waits: while libvirt is silent the host is Disconnected and keeps the figures of
// the last time.
void refresh_host(Services& services);

}  // namespace hvagent::operations
