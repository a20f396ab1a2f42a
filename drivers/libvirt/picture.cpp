#include "drivers/libvirt/picture.h"

#include "drivers/libvirt/holds.h"

namespace hvagent::libvirt {
namespace {

StateAndReason state_in(const virDomainStatsRecord& record) {
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    virTypedParamsGetInt(record.params, record.nparams, "state.state", &state);
    virTypedParamsGetInt(record.params, record.nparams, "state.reason", &reason);
    return state_of(state, reason);
}

bool is_held(virDomainPtr domain, VmState state) {
    if (state != VmState::running && state != VmState::paused) return false;
    return has_hold(domain, Hold::cpus) || has_hold(domain, Hold::file_systems);
}

std::vector<SeenDomain> take(virConnectPtr connection, OwnedDomains& owned, bool with_holds) {
    virDomainStatsRecordPtr* raw = nullptr;
    const int count =
        checked(virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE, &raw, 0), "read the states of all VMs");
    const StatsList records(raw);
    std::vector<SeenDomain> picture;
    picture.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        try {
            auto vm = owned.owner_of(raw[i]->dom);
            if (!vm) continue;
            const StateAndReason state = state_in(*raw[i]);
            picture.push_back({std::move(*vm), state, with_holds && is_held(raw[i]->dom, state.state)});
        } catch (const LibvirtError& error) {
            if (error.code() != Code::not_found) throw;  // undefined since the list was made
        }
    }
    return picture;
}

}  // namespace

std::vector<SeenDomain> take_picture(virConnectPtr connection, OwnedDomains& owned) {
    return take(connection, owned, false);
}

std::vector<SeenDomain> take_first_picture(virConnectPtr connection, OwnedDomains& owned) {
    return take(connection, owned, true);
}

}  // namespace hvagent::libvirt
