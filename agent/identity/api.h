// The rows of login, sessions, the account and access keys.
#pragma once
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/api/row.h"

namespace hvagent::identity {

class Identity;

// `identity` must outlive the table.
api::Table identity_api(Identity& identity);
// Session, Account and AccessKey: to be joined with the shapes of the inventory.
std::vector<api::ResourceShape> identity_shapes();

}  // namespace hvagent::identity
