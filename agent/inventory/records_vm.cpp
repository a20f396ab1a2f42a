#include "agent/inventory/records.h"

namespace hvagent::inventory {
namespace {

std::vector<std::string> state_names() {
    std::vector<std::string> names;
    for (const auto& [state, name] : EnumNames<VmState>::names) names.emplace_back(name);
    return names;
}

// Vm::state() in SQL.
constexpr const char* state_expression =
    "COALESCE(\"transition\", CASE \"intent\" WHEN 'created' THEN 'Created' WHEN 'destroyed' THEN 'Destroyed' ELSE "
    "\"observed\" END)";

}  // namespace

template <>
const Record<Vm>& record_of<Vm>() {
    static const Record<Vm> record = Record<Vm>("VmInstance", "vm")
                                         .wire("name", &Vm::name)
                                         .wire("description", &Vm::description)
                                         .wire("zoneUuid", &Vm::zone)
                                         .wire("clusterUuid", &Vm::cluster)
                                         .wire("imageUuid", &Vm::image)
                                         .wire("hostUuid", &Vm::host, "where it runs; absent while it does not")
                                         .wire("lastHostUuid", &Vm::last_host)
                                         .wire("instanceOfferingUuid", &Vm::offering)
                                         .wire("rootVolumeUuid", &Vm::root_volume)
                                         .wire("defaultL3NetworkUuid", &Vm::default_l3)
                                         .wire("platform", &Vm::platform)
                                         .wire("architecture", &Vm::architecture)
                                         .wire("type", &Vm::type)
                                         .wire("hypervisorType", &Vm::hypervisor_type)
                                         .wire("allocatorStrategy", &Vm::allocator_strategy)
                                         .wire("guestOsType", &Vm::guest_os_type)
                                         .wire("memorySize", &Vm::memory, "bytes")
                                         .wire("reservedMemorySize", &Vm::reserved_memory, "bytes")
                                         .wire("cpuNum", &Vm::cpus)
                                         .internal("virtio", &Vm::virtio)
                                         .internal("intent", &Vm::intent)
                                         .internal("observed", &Vm::observed)
                                         .internal("observed_reason", &Vm::observed_reason)
                                         .internal("observed_at", &Vm::observed_at)
                                         .internal("transition", &Vm::transition)
                                         .internal("destroyed_at", &Vm::destroyed_at)
                                         .internal("should_run", &Vm::should_run)
                                         .wire("epoch", &Vm::epoch, "grows with each start and each move to another host")
                                         .internal("migration", &Vm::migration)
                                         .internal("creation_plan", &Vm::creation_plan)
                                         .internal("restart_order", &Vm::restart_order)
                                         .internal("restart_boot", &Vm::restart_boot)
                                         .generated("state", state_expression, state_names())
                                         .dates()
                                         .index({"name"})
                                         .index({"state"})
                                         .index({"hostUuid"})
                                         .index({"imageUuid"})
                                         .index({"rootVolumeUuid"});
    return record;
}

template <>
const Record<VmNic>& record_of<VmNic>() {
    static const Record<VmNic> record = Record<VmNic>("VmNic", "vm_nic")
                                            .wire("vmInstanceUuid", &VmNic::vm)
                                            .wire("l3NetworkUuid", &VmNic::l3_network)
                                            .wire("ip", &VmNic::ip, "absent while the VM is destroyed")
                                            .wire("netmask", &VmNic::netmask)
                                            .wire("gateway", &VmNic::gateway)
                                            .wire("usedIpUuid", &VmNic::used_ip)
                                            .wire("mac", &VmNic::mac)
                                            .wire("deviceId", &VmNic::device_id)
                                            .wire("internalName", &VmNic::internal_name, "name of the tap device")
                                            .wire("driverType", &VmNic::driver_type)
                                            .wire("state", &VmNic::state)
                                            .wire("ipVersion", &VmNic::ip_version)
                                            .dates()
                                            .index({"vmInstanceUuid"})
                                            .index({"l3NetworkUuid"})
                                            .index({"ip"})
                                            .index({"mac"});
    return record;
}

template <>
const Record<VmCdRom>& record_of<VmCdRom>() {
    static const Record<VmCdRom> record = Record<VmCdRom>("VmCdRom", "vm_cdrom")
                                              .wire("vmInstanceUuid", &VmCdRom::vm)
                                              .wire("deviceId", &VmCdRom::device_id)
                                              .wire("isoUuid", &VmCdRom::iso, "absent: no medium")
                                              .wire("isoInstallPath", &VmCdRom::iso_path)
                                              .wire("name", &VmCdRom::name)
                                              .wire("description", &VmCdRom::description)
                                              .dates()
                                              .index({"vmInstanceUuid"})
                                              .index({"isoUuid"});
    return record;
}

template <>
const Record<Migration>& record_of<Migration>() {
    static const Record<Migration> record = Record<Migration>("Migration", "migration", false)
                                                .internal("vm", &Migration::vm)
                                                .internal("role", &Migration::role)
                                                .internal("stage", &Migration::stage)
                                                .internal("peer", &Migration::peer)
                                                .internal("bundle", &Migration::bundle)
                                                .internal("reason", &Migration::reason)
                                                .dates()
                                                .index({"vm"});
    return record;
}

}  // namespace hvagent::inventory
