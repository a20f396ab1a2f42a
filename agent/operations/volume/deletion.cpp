// Delete, recover, expunge.
#include "agent/operations/volume/attachment.h"
#include "agent/operations/volume/disposal.h"
#include "agent/operations/volume/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

void require_deleted(const Volume& volume) {
    if (volume.status != VolumeStatus::deleted)
        throw Error(Code::operation_failed, shown(volume) + " is " + std::string(to_text(volume.status)) + ", not Deleted");
}

void put_aside(Services& services, Job& job, const Volume& volume) {
    for (const Vm& vm : users_of(services, volume)) unplug(services, job, volume, vm.uuid);
    services.inventory.modify<Volume>(volume.uuid, [&](Volume& record) {
        record.vm = VmId();
        record.device_id.reset();
        record.status = VolumeStatus::deleted;
        record.deleted_at = services.clock.now();
    });
    if (services.settings.volume_deletion_policy == "Direct") dispose_of(services, volume);
}

}  // namespace

json delete_data_volume(Services& services, Job& job, const DeleteVolume& params) {
    const auto volume = services.inventory.find<Volume>(params.volume);
    if (!volume) return json::object();
    if (volume->type != VolumeType::data)
        throw Error(Code::invalid_argument,
                    shown(*volume) + " is a Root volume; it goes when its VM is destroyed and expunged");
    if (volume->status == VolumeStatus::deleted && !job.resumed())
        throw Error(Code::operation_failed, shown(*volume) + " is Deleted already");
    try {
        put_aside(services, job, *volume);
    } catch (...) {
        const Error error = current_error();
        if (error.code() == Code::job_cancelled) throw error;
        throw Error(Code::delete_failed, shown(*volume) + " could not be deleted: " + error.details(), error);
    }
    return json::object();
}

json expunge_data_volume(Services& services, Job&, const OnVolume& params) {
    const auto volume = services.inventory.find<Volume>(params.volume);
    if (!volume) return json::object();  // an earlier life of this job came so far
    require_deleted(*volume);
    dispose_of(services, *volume);
    return json::object();
}

json recover_data_volume(Services& services, Job& job, const OnVolume& params) {
    const Volume volume = services.inventory.get<Volume>(params.volume);
    if (job.resumed() && volume.status != VolumeStatus::deleted)
        return services.inventory.answer("Volume", params.volume.str());
    require_deleted(volume);
    const bool has_file = !volume.install_path.empty();
    if (has_file && !services.files.exists(volume.install_path))
        throw Error(Code::operation_failed, shown(volume) + " has no file any more: " + volume.install_path);
    services.inventory.modify<Volume>(params.volume, [&](Volume& record) {
        record.status = has_file ? VolumeStatus::ready : VolumeStatus::not_instantiated;
        if (!has_file) record.primary_storage = PrimaryStorageId();
        record.deleted_at = Time{};
    });
    return services.inventory.answer("Volume", params.volume.str());
}

}  // namespace hvagent::operations
