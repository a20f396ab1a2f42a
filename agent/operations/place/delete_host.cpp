#include "agent/operations/holdings.h"
#include "agent/operations/place/handlers.h"
#include "agent/operations/place/peer_hosts.h"
#include "agent/peers/introduction.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

// Best effort: a host that is gone for good must be deletable. One that answers that it still needs us is heeded.
void take_leave(Services& services, const Host& host, bool must_go) {
    try {
        services.peers.ask(host.uuid, "leave", json::object(), peer_patience);
    } catch (const Error& error) {
        if (error.code() == Code::operation_failed && !must_go) throw;
        log::warning(
            "the other host was not told that it is deleted here: it shows this one as Disconnected until it is "
            "deleted there",
            {{"host", host.uuid.str()}, {"name", host.name}, {"error", error.details()}});
    }
}

}  // namespace

json delete_host(Services& services, Job& job, const DeleteHost& params) {
    const Host host = services.inventory.get<Host>(params.host);
    if (host.uuid == services.host)
        throw Error(Code::operation_failed, "the host " + host.name + " is this agent's own; it goes with its agent");
    const std::string needed = services.why_host_is_needed(host.uuid);
    if (!needed.empty()) throw Error(Code::operation_failed, "the host " + host.name + " is needed: " + needed);
    Holdings()
        .add(services.inventory.count<Vm>({{"hostUuid", host.uuid.str()}}), "VM")
        .refuse_if_any("the host " + host.name);
    job.progress(10, "tell the other host");
    if (services.inventory.find<Peer>(host.uuid)) take_leave(services, host, params.delete_mode == "Enforcing");
    peers::forget_peer(services.inventory, host.uuid);
    services.consider_peer(host.uuid);
    log::info("a host was deleted", {{"host", host.uuid.str()}, {"name", host.name}});
    return json::object();
}

}  // namespace hvagent::operations
