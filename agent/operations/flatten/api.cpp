#include "agent/operations/flatten/api.h"

namespace hvagent::operations {

api::Table flatten_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
