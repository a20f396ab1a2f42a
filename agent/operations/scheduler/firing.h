// When a scheduler is due, and what it does then.
#pragma once
#include <optional>

#include <nlohmann/json.hpp>

#include "hvagent/model/storage.h"

namespace hvagent::operations {

// The first of its moments after `after`; nullopt: there is none any more. Of type simple: start, start + interval... Missed
// ones are no reason for more than one firing: who fired asks on from the present.
std::optional<Time> next_firing(const Scheduler& scheduler, Time after);
// The last moment of a scheduler of type simple; nullopt: none, or none that anybody living will see.
std::optional<Time> last_firing(const Scheduler& scheduler);

// Arguments of the snapshot to be taken for the moment `due`, the same whenever they are made.
nlohmann::json snapshot_request(const Scheduler& scheduler, Time due);

}  // namespace hvagent::operations
