#include "agent/operations/place/live_host.h"

#include "agent/operations/observe_change.h"
#include "agent/operations/place/host_capacity.h"
#include "hvagent/log.h"

namespace hvagent::operations {

void refresh_host(Services& services) {
    bool answers = services.states.connected();
    if (answers) {
        try {
            services.capacity.refresh_host_record();
        } catch (const Error& error) {
            log::debug("the host's figures are not known", {{"error", error.details()}});
            answers = false;
        }
    }
    const auto status = answers ? ConnectionStatus::connected : ConnectionStatus::disconnected;
    observe_change<Host>(services.inventory, services.host, [&](Host& host) { host.status = status; });
}

}  // namespace hvagent::operations
