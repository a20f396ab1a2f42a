#include "agent/operations/host/host_view.h"
#include "agent/state/guest_part.h"

namespace hvagent::operations {

json guest_of_vm(const HostView& view, const std::string& uuid) {
    if (!is_uuid(uuid)) throw Error(Code::invalid_argument, "\"" + uuid.substr(0, 40) + "\" is no uuid of a VM");
    const Vm vm = view.services.inventory.get<Vm>(VmId(uuid));
    json addresses = json::array();
    std::vector<GuestAddress> assigned;
    for (const VmNic& nic : view.services.inventory.list<VmNic>({{"vmInstanceUuid", uuid}}))
        if (!nic.ip.empty()) assigned.push_back({nic.mac, nic.ip, 0, ""});
    for (const GuestAddress& one : assigned)
        addresses.push_back({{"address", one.address}, {"mac", one.mac}, {"source", "assigned"}});
    json guest{{"uuid", uuid},
               {"state", std::string(to_text(vm.state()))},
               {"guestAgent", "Unknown"},
               {"observedAt", to_unix_ms(view.services.clock.now())}};
    GuestSight sight;
    try {
        sight = view.services.states.connected() ? view.guests.look(vm.uuid)
                                                 : throw Error(Code::host_connection, "libvirt does not answer");
    } catch (const Error& error) {
        if (error.code() != Code::not_found) guest["failure"] = error.details();
        if (error.code() == Code::not_found) guest["guestAgent"] = "Disconnected";
        guest["addresses"] = addresses;
        return guest;
    }
    guest.update(state::guest_part(sight));
    addresses.insert(addresses.end(), guest["addresses"].begin(), guest["addresses"].end());
    guest["addresses"] = std::move(addresses);
    return guest;
}

}  // namespace hvagent::operations
