#include "agent/operations/scheduler/api.h"

namespace hvagent::operations {

api::Table scheduler_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
