// What fits together, and what volumes can be.
#include "agent/operations/volume/attachment.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

bool is_attachable(const Volume& volume) {
    return volume.type == VolumeType::data && volume.state == EnabledState::enabled &&
           (volume.status == VolumeStatus::ready || volume.status == VolumeStatus::not_instantiated);
}

bool takes_volumes(const Vm& vm) {
    const VmState state = vm.state();
    const bool needs_stop = vm.platform == "Other" || !vm.virtio;
    return state == VmState::stopped || (state == VmState::running && !needs_stop);
}

bool fit(Services& services, const Volume& volume, const Vm& vm) {
    return takes_volumes(vm) && reaches(services, vm, volume) && !is_used_by(services, volume, vm.uuid) &&
           count_data_volumes(services, vm.uuid) < most_data_volumes;
}

}  // namespace

json get_volume_formats(Services&, const api::Call&, const OnVolume&) {
    const auto format = [](const char* name, bool is_disk) {
        json one{{"format", name}, {"supportingHypervisorTypes", {"KVM"}}};
        if (is_disk) one["masterHypervisorType"] = "KVM";
        return one;
    };
    return {{"formats", {format("qcow2", true), format("raw", true), format("vmdk", true), format("iso", false)}}};
}

json get_volume_capabilities(Services& services, const api::Call&, const OnVolume& params) {
    if (services.inventory.get<Volume>(params.volume).status != VolumeStatus::ready)
        return {{"capabilities", json::object()}};
    // One host: there is nowhere to go.
    return {{"capabilities", {{"MigrationInCurrentPrimaryStorage", false}, {"MigrationToOtherPrimaryStorage", false}}}};
}

json get_vms_for_volume(Services& services, const api::Call&, const OnVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (!is_attachable(volume))
        throw Error(Code::invalid_argument,
                    shown(volume) + " is a " + std::string(to_text(volume.type)) + " volume, " +
                        std::string(to_text(volume.state)) + " and " + std::string(to_text(volume.status)) +
                        "; only Data volumes that are Enabled and Ready or NotInstantiated are attached");
    json vms = json::array();
    if (volume.vm.empty())
        for (const Vm& vm : services.inventory.list<Vm>())
            if (fit(services, volume, vm)) vms.push_back(services.inventory.view("VmInstance", vm.uuid.str()));
    return {{"inventories", vms}};
}

json get_volumes_for_vm(Services& services, const api::Call&, const VolumesForVm& params) {
    const Vm vm = services.inventory.get<Vm>(params.vm);
    json volumes = json::array();
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", nullptr}}))
        if (is_attachable(volume) && fit(services, volume, vm))
            volumes.push_back(services.inventory.view("Volume", volume.uuid.str()));
    return {{"inventories", volumes}};
}

}  // namespace hvagent::operations
