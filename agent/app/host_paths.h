// What the daemon tells of its host over its own API, beside the contract.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/http/server.h"
#include "agent/operations/host/host_view.h"

namespace hvagent::app {

// A path that is read and takes nothing: Error(no_such_path) below it, Error(wrong_method) for other methods than GET.
nlohmann::json read_only(const std::string& method, const std::string& rest, const std::string& name,
                         const std::function<nlohmann::json()>& answer);

// /hvagent/v1/facts, doctor, fit and vms/<uuid>/guest. `view` must outlive the server.
std::vector<http::OwnPath> host_paths(const operations::HostView& view);

}  // namespace hvagent::app
