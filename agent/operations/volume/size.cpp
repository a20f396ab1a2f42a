// How large a volume is: looked up, and made larger.
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

constexpr Bytes sector = 512;

void write_down_sizes(Services& services, const VolumeId& id) {
    const Volume volume = services.inventory.get<Volume>(id);
    const Bytes size = services.disk_images.inspect(volume.install_path, volume.format).virtual_size;
    const Bytes allocated = allocated_by(services, volume);
    services.inventory.modify<Volume>(id, [&](Volume& record) {
        record.size = size;
        record.actual_size = allocated;
    });
}

void check_growth(Services& services, const Volume& volume, Bytes size) {
    if (size <= volume.size)
        throw Error(Code::invalid_argument, "parameter 'size': " + shown(volume) + " has " + std::to_string(volume.size) +
                                                " bytes and can only grow, not become " + std::to_string(size));
    if (size > services.settings.image_max_size)
        throw Error(Code::invalid_argument, "parameter 'size': " + human_size(size) + " is more than the largest volume, " +
                                                human_size(services.settings.image_max_size));
    require_room(services, volume.primary_storage, size - volume.size, "the growth of the volume " + volume.name);
}

void check_may_be_resized(Services& services, const Volume& volume, VolumeType type) {
    const auto fail = [&](const std::string& why) { throw Error(Code::operation_failed, shown(volume) + " " + why); };
    if (volume.type != type)
        throw Error(Code::invalid_argument, shown(volume) + " is a " + std::string(to_text(volume.type)) +
                                                " volume, not a " + std::string(to_text(type)) + " volume");
    if (volume.status != VolumeStatus::ready) fail("is " + std::string(to_text(volume.status)) + ", not Ready");
    if (volume.shareable) fail("is shareable; guests that share it would not agree on its size");
    const auto vm = vm_of(services, volume);
    if (vm && vm->intent != VmIntent::kept)
        fail("belongs to the VM " + vm->name + ", which is " + std::string(to_text(vm->state())));
}

void grow(Services& services, const Volume& volume, Bytes size) {
    if (access_of(services, volume) == DiskAccess::live)
        services.disks.resize(volume.vm, volume.uuid, size);
    else
        services.disk_images.resize(volume.install_path, size);
}

json resize(Services& services, Job& job, const ResizeVolume& params, VolumeType type) {
    settle_creations(services, params.volume);
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (!params.vm.empty() && params.vm != volume.vm)
        throw Error(Code::invalid_argument,
                    "parameter 'vmInstanceUuid': " + shown(volume) + " is not of the VM " + params.vm.str());
    check_may_be_resized(services, volume, type);
    const Bytes size = (params.size + sector - 1) / sector * sector;  // disks consist of whole sectors
    // An earlier life of this job may have come so far without writing it down.
    const bool is_grown = services.disk_images.inspect(volume.install_path, volume.format).virtual_size >= size;
    if (!(job.resumed() && is_grown)) check_growth(services, volume, size);
    try {
        if (!is_grown) grow(services, volume, size);
    } catch (...) {
        const Error error = current_error();
        write_down_sizes(services, params.volume);  // a call that took too long may have had its effect
        throw error;
    }
    write_down_sizes(services, params.volume);
    return services.inventory.answer("Volume", params.volume.str());
}

}  // namespace

json sync_volume_size(Services& services, Job&, const OnVolume& params) {
    if (services.inventory.get<Volume>(params.volume).status == VolumeStatus::ready)
        write_down_sizes(services, params.volume);
    return services.inventory.answer("Volume", params.volume.str());
}

json resize_root_volume(Services& services, Job& job, const ResizeVolume& params) {
    return resize(services, job, params, VolumeType::root);
}

json resize_data_volume(Services& services, Job& job, const ResizeVolume& params) {
    return resize(services, job, params, VolumeType::data);
}

}  // namespace hvagent::operations
