// Which ISO for this VM, which VM for this ISO?
#include "agent/operations/attachments.h"
#include "agent/operations/cdrom/drives.h"
#include "agent/operations/cdrom/handlers.h"

namespace hvagent::operations {
namespace {

bool is_settled(const Vm& vm) {
    return vm.state() == VmState::running || vm.state() == VmState::stopped;
}

// Whether a backup storage of the zone holds the image.
bool reaches(const Services& services, const ZoneId& zone, const ImageId& image) {
    for (const ImageRef& ref : services.inventory.list<ImageRef>({{"imageUuid", image.str()}}))
        if (ref.status == ImageStatus::ready &&
            is_attached(services.inventory, backup_storage_to_zone, ref.backup_storage.str(), zone.str()))
            return true;
    return false;
}

bool holds(const Services& services, const VmId& vm, const ImageId& iso) {
    for (const VmCdRom& drive : drives_of(services.inventory, vm))
        if (drive.iso == iso) return true;
    return false;
}

}  // namespace

json get_isos_for_vm(Services& services, const api::Call&, const IsoCandidates& params) {
    json found = json::array();
    const Vm vm = services.inventory.get<Vm>(params.vm);
    if (!is_settled(vm)) return {{"inventories", found}};
    for (const Image& image : services.inventory.list<Image>({{"mediaType", std::string(to_text(MediaType::iso))}}))
        if (image.state == EnabledState::enabled && image.status == ImageStatus::ready && !image.system &&
            image.architecture == vm.architecture && reaches(services, vm.zone, image.uuid) &&
            !holds(services, vm.uuid, image.uuid))
            found.push_back(services.inventory.view("Image", image.uuid.str()));
    return {{"inventories", found}};
}

json get_vms_for_iso(Services& services, const api::Call&, const IsoVmCandidates& params) {
    json found = json::array();
    usable_iso(services, params.iso);
    for (const Vm& vm : services.inventory.list<Vm>())
        if (is_settled(vm) && !vm.root_volume.empty() && reaches(services, vm.zone, params.iso))
            found.push_back(services.inventory.view("VmInstance", vm.uuid.str()));
    return {{"inventories", found}};
}

}  // namespace hvagent::operations
