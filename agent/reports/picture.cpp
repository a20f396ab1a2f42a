#include "agent/reports/picture.h"

namespace hvagent::reports {
namespace {

const char* source_of(VmState state, bool by_job) {
    if (by_job) return "job";
    return state == VmState::unknown ? "agent" : "libvirt";
}

void add_guest(json& one, const VmId& vm, VmState state, const GuestOf& guest_of) {
    if (!guest_of || (state != VmState::running && state != VmState::paused)) return;
    if (json guest = guest_of(vm); !guest.is_null()) one["guest"] = std::move(guest);
}

}  // namespace

json host_part(const inventory::Inventory& inventory, const HostId& host) {
    const Host record = inventory.get<Host>(host);
    Bytes promised = 0;
    for (const Vm& vm : inventory.list<Vm>({{"hostUuid", host.str()}})) promised += vm.memory;
    return {{"uuid", record.uuid.str()},
            {"name", record.name},
            {"managementIp", record.management_ip},
            {"status", std::string(to_text(record.status))},
            {"state", record.state},
            {"promisedMemory", promised}};
}

json vms_part(const inventory::Inventory& inventory, const GuestOf& guest_of) {
    json vms = json::array();
    for (const Vm& vm : inventory.list<Vm>()) {
        const bool is_observed = !vm.transition && vm.intent == VmIntent::kept;
        json one = {{"uuid", vm.uuid.str()},
                    {"name", vm.name},
                    {"state", std::string(to_text(vm.state()))},
                    {"source", source_of(vm.state(), !is_observed)},
                    {"observedAt", iso_time(is_observed && vm.observed_at != Time{} ? vm.observed_at : vm.last_op)}};
        if (is_observed && !vm.observed_reason.empty()) one["reason"] = vm.observed_reason;
        add_guest(one, vm.uuid, vm.state(), guest_of);
        vms.push_back(std::move(one));
    }
    return vms;
}

json change_part(const inventory::VmChange& change, Time now, const GuestOf& guest_of) {
    json one = {{"uuid", change.vm.str()}, {"observedAt", iso_time(change.at == Time{} ? now : change.at)}};
    if (change.before) one["previousState"] = std::string(to_text(*change.before));
    if (!change.reason.empty()) one["reason"] = change.reason;
    // A VM whose record is gone has no state any more.
    one["state"] = change.after ? std::string(to_text(*change.after)) : "Expunged";
    one["source"] = change.after ? source_of(*change.after, change.by_job) : "job";
    if (change.after) add_guest(one, change.vm, *change.after, guest_of);
    return one;
}

}  // namespace hvagent::reports
