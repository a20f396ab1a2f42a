#include "agent/operations/clone/api.h"

namespace hvagent::operations {

api::Table clone_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
