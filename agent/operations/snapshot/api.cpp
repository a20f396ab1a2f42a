#include "agent/operations/snapshot/api.h"

namespace hvagent::operations {

api::Table snapshot_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
