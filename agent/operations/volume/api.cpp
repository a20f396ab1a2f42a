#include "agent/operations/volume/api.h"

namespace hvagent::operations {

api::Table volume_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
