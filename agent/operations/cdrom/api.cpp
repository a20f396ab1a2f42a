#include "agent/operations/cdrom/api.h"

namespace hvagent::operations {

api::Table cdrom_api(Services&) {
    return {};
}

}  // namespace hvagent::operations
