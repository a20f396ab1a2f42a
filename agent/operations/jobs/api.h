// The rows over the job table: long jobs, their progress, and cancelling them.
#pragma once
#include <functional>
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/jobs/engine.h"

namespace hvagent::operations {

// The engine is made from the catalog that holds these rows, so it is asked for when a row runs.
api::Table jobs_api(std::function<jobs::JobEngine&()> engine, const Clock& clock);
// LongJob and TaskProgress: to be joined with the shapes of the inventory.
std::vector<api::ResourceShape> job_shapes();

}  // namespace hvagent::operations
