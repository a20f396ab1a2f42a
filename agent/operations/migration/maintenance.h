// Emptying this host, so that it can be taken down.
#pragma once
#include <nlohmann/json.hpp>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

// No VM starts here any more. Answers, for each that runs, where it could go or why nowhere; nothing is moved yet.
nlohmann::json prepare_maintenance(Services& services, Job& job);

// Moves every VM away, a few at a time. Those that cannot move are stopped or left, as [maintenance] rest says. When none is
// left the host is in Maintenance; else Error(host_maintenance) lists them with their reasons, and the host stays in
// PreMaintenance. Cancelled: moves that wait are given up, and the host is as it was. Repeatable.
nlohmann::json drain_host(Services& services, Job& job);

}  // namespace hvagent::operations
