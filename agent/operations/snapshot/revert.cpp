// RevertVolumeFromSnapshot: a new layer on the snapshot's becomes the active one. What was active goes when the record
// names the new one.
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/snapshot/handlers.h"
#include "agent/operations/snapshot/layers.h"
#include "agent/operations/snapshot/tree.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// Of one revert; on disk before anything is done, since a job may die between any two of its acts.
struct Layers {
    std::string before;
    std::string after;
};

void check(Services& services, const VolumeSnapshot& snapshot, const Volume& volume) {
    const std::string what = "the snapshot " + snapshot.name + " (" + snapshot.uuid.str() + ")";
    if (snapshot.status != SnapshotStatus::ready)
        throw Error(Code::snapshot_wrong_status,
                    what + " is " + std::string(to_text(snapshot.status)) + ", but must be Ready");
    if (snapshot.state != EnabledState::enabled) throw Error(Code::operation_failed, what + " is Disabled");
    if (volume.status != VolumeStatus::ready)
        throw Error(Code::operation_failed,
                    shown(volume) + " is " + std::string(to_text(volume.status)) + ", but must be Ready");
    if (await_access(services, volume) == DiskAccess::live)
        throw Error(Code::vm_wrong_state, "the VM " + volume.vm.str() + " of " + shown(volume) + " must be Stopped");
    services.disk_images.chain(snapshot.install_path);
    require_room_for_layer(services, volume);
}

Layers choose_layers(Services& services, Job& job, const Volume& volume) {
    if (const auto known = job.recall("layers")) return {known->at("before"), known->at("after")};
    const Layers layers{volume.install_path, path_for_layer(services, volume, make_uuid())};
    job.remember("layers", {{"before", layers.before}, {"after", layers.after}});
    return layers;
}

void switch_layers(Services& services, const VolumeSnapshot& snapshot, const Layers& layers) {
    if (!is_layer_on(services, layers.after, snapshot.install_path)) {
        if (services.files.exists(layers.after)) services.files.remove_file(layers.after);
        services.disk_images.create_overlay(layers.after, snapshot.install_path, snapshot.format, snapshot.virtual_size);
    }
    const Bytes allocated = services.files.allocated(layers.after);
    services.inventory.transaction([&] {
        services.inventory.modify<Volume>(snapshot.volume, [&](Volume& record) {
            record.install_path = layers.after;
            record.size = snapshot.virtual_size;
            record.actual_size = allocated;
        });
        go_on_from(services, snapshot);
    });
}

}  // namespace

json revert_volume(Services& services, Job& job, const OnSnapshot& params) {
    const VolumeId id = services.inventory.get<VolumeSnapshot>(params.snapshot).volume;
    settle_creations(services, id);
    const VolumeSnapshot snapshot = services.inventory.get<VolumeSnapshot>(params.snapshot);
    const auto volume = services.inventory.find<Volume>(id);
    if (!volume) throw Error(Code::operation_failed, "the volume " + id.str() + " of the snapshot is gone");
    const Layers layers = choose_layers(services, job, *volume);
    if (volume->install_path != layers.after) {
        try {
            check(services, snapshot, *volume);
            switch_layers(services, snapshot, layers);
        } catch (...) {
            const Error error = current_error();
            if (services.inventory.get<Volume>(id).install_path != layers.after) services.files.remove_file(layers.after);
            throw error;
        }
    }
    if (services.inventory.count<VolumeSnapshot>({{"primaryStorageInstallPath", layers.before}}) == 0)
        services.files.remove_file(layers.before);
    return json::object();
}

}  // namespace hvagent::operations
