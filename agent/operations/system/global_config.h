// The settings as clients of the contract know them.
#pragma once
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/resource_shape.h"
#include "agent/config/settings.h"

namespace hvagent::operations {

const api::ResourceShape& global_config_shape();
// One record per setting that has a name in the contract.
std::vector<nlohmann::json> global_configs(const config::Settings& settings);

}  // namespace hvagent::operations
