#include "drivers/libvirt/picture.h"

namespace hvagent::libvirt {
namespace {

StateAndReason state_in(const virDomainStatsRecord& record) {
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    virTypedParamsGetInt(record.params, record.nparams, "state.state", &state);
    virTypedParamsGetInt(record.params, record.nparams, "state.reason", &reason);
    return state_of(state, reason);
}

}  // namespace

std::vector<SeenDomain> take_picture(virConnectPtr connection, OwnedDomains& owned) {
    virDomainStatsRecordPtr* raw = nullptr;
    const int count =
        checked(virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE, &raw, 0), "read the states of all VMs");
    const StatsList records(raw);
    std::vector<SeenDomain> picture;
    picture.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        try {
            if (auto vm = owned.owner_of(raw[i]->dom)) picture.push_back({std::move(*vm), state_in(*raw[i])});
        } catch (const LibvirtError& error) {
            if (error.code() != Code::not_found) throw;  // undefined since the list was made
        }
    }
    return picture;
}

}  // namespace hvagent::libvirt
