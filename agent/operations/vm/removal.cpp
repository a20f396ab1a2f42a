#include "agent/operations/vm/removal.h"

#include "agent/operations/network/address_book.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/vm/ownership.h"
#include "agent/operations/volume/attachment.h"
#include "agent/operations/volume/disposal.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

std::vector<Volume> volumes_of(Services& services, const VmId& vm) {
    return services.inventory.list<Volume>({{"vmInstanceUuid", vm.str()}});
}

void give_addresses_back(Services& services, const VmId& vm) {
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}})) {
        services.addresses.withdraw(nic);
        services.addresses.release(nic.uuid);
    }
}

// A creation under the uuid of a domain that is not ours fails; that domain is nothing of it.
bool is_of_somebody_else(Services& services, const VmId& vm) {
    for (const ForeignDomain& domain : services.definitions.list_foreign())
        if (domain.name == vm.str() || without_dashes(domain.uuid) == vm.str()) return true;
    return false;
}

}  // namespace

void take_off_host(Services& services, const VmId& vm) {
    services.power.destroy(vm);
    services.definitions.undefine(vm);
    give_addresses_back(services, vm);
}

void let_go_of_data_volumes(Services& services, const VmId& vm) {
    for (const Volume& volume : volumes_of(services, vm))
        if (volume.type == VolumeType::data) record_detached(services, volume.uuid, vm);
    for (const ShareableVolumeRef& ref : services.inventory.list<ShareableVolumeRef>({{"vmInstanceUuid", vm.str()}}))
        record_detached(services, ref.volume, vm);
}

void remove_root_and_records(Services& services, const VmId& vm) {
    const auto record = services.inventory.find<Vm>(vm);
    const std::string elsewhere = record ? why_not_ours(services, *record) : "";
    const std::string note = record ? owner_note_path(services, *record) : "";
    if (!elsewhere.empty()) log::warning("a VM goes from the records only", {{"vm", vm.str()}, {"reason", elsewhere}});
    // First: its path is that of the root volume.
    if (!note.empty() && elsewhere.empty()) services.files.remove_file(note);
    for (const Volume& volume : volumes_of(services, vm))
        if (volume.type == VolumeType::root) elsewhere.empty() ? dispose_of(services, volume) : forget(services, volume);
    services.disk_images.remove(services.settings.state_directory + "/serial/" + vm.str() + ".log");
    services.inventory.transaction([&] {
        for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}}))
            services.inventory.remove<VmNic>(nic.uuid);
        for (const VmCdRom& cdrom : services.inventory.list<VmCdRom>({{"vmInstanceUuid", vm.str()}}))
            services.inventory.remove<VmCdRom>(cdrom.uuid);
        services.inventory.remove<Vm>(vm);
    });
    services.image_cache.drop_unused();  // its drives held ISOs
}

void remove_never_started(Services& services, const VmId& vm) {
    for (const Volume& volume : volumes_of(services, vm)) dispose_of(services, volume);
    remove_root_and_records(services, vm);
}

void remove_vm_completely(Services& services, const VmId& vm) {
    const auto attempt = [&](const char* what, const std::function<void()>& work) {
        try {
            work();
            return true;
        } catch (...) {
            log::error("a failed creation left something behind",
                       {{"vm", vm.str()}, {"what", what}, {"error", current_error().details()}});
            return false;
        }
    };
    const auto record = services.inventory.find<Vm>(vm);
    if (!record) return;
    const bool may_be_defined = record->intent != VmIntent::created;
    if (may_be_defined && !attempt("the domain or its addresses", [&] {
            is_of_somebody_else(services, vm) ? give_addresses_back(services, vm) : take_off_host(services, vm);
        }))
        return;
    for (const Volume& volume : volumes_of(services, vm)) attempt("a volume", [&] { dispose_of(services, volume); });
    attempt("its records", [&] {
        let_go_of_data_volumes(services, vm);
        remove_root_and_records(services, vm);
    });
}

}  // namespace hvagent::operations
