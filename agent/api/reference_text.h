// The operation table as a manual page.
#pragma once
#include <string>

#include "agent/api/row.h"

namespace hvagent::api {

// roff for hvagent-operations(7): every operation with its request, parameters, and answer.
std::string make_reference(const Catalog& catalog, const std::string& version);

}  // namespace hvagent::api
