// DeleteVolumeSnapshot: the snapshot and all that descend from it. Where the volume goes on from one of them, its active
// layer is put onto what lies below first; then files go, the youngest first, each with its record: at every moment what
// is recorded can be read.
#include <algorithm>

#include "agent/operations/snapshot/creation.h"
#include "agent/operations/snapshot/handlers.h"
#include "agent/operations/snapshot/layers.h"
#include "agent/operations/snapshot/tree.h"
#include "agent/operations/storage/image_cache.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

void set_status(Services& services, const SnapshotId& snapshot, SnapshotStatus status) {
    services.inventory.modify<VolumeSnapshot>(snapshot, [&](VolumeSnapshot& record) { record.status = status; });
}

// What was not removed is as good as before.
void restore(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    for (const VolumeSnapshot& snapshot : snapshots)
        if (services.inventory.find<VolumeSnapshot>(snapshot.uuid) && services.files.exists(snapshot.install_path))
            set_status(services, snapshot.uuid, SnapshotStatus::ready);
}

std::set<std::string> files_of(const std::vector<VolumeSnapshot>& snapshots) {
    std::set<std::string> files;
    for (const VolumeSnapshot& snapshot : snapshots) files.insert(snapshot.install_path);
    return files;
}

// What the volume shall lie on; nullopt: it does not lie on what is to go, on disk or in the records.
std::optional<std::string> place_below(Services& services, Job& job, const Volume& volume, const VolumeSnapshot& root,
                                       const std::set<std::string>& doomed) {
    const std::vector<std::string> chain = layers_of(services, volume);
    const auto top = std::find_if(chain.begin(), chain.end(), [&](const auto& path) { return doomed.contains(path); });
    if (top == chain.begin())
        throw Error(Code::internal, "the active layer of " + shown(volume) + " is recorded as that of a snapshot");
    if (top != chain.end()) {
        const auto bottom = std::find(top, chain.end(), root.install_path);
        if (bottom == chain.end())
            throw Error(Code::internal, "the layers of " + shown(volume) + " are not those that are recorded");
        return bottom + 1 == chain.end() ? "" : *(bottom + 1);
    }
    const auto base = base_snapshot(services, volume.uuid);
    if (!base || !doomed.contains(base->install_path)) return std::nullopt;
    // Merged by a job, or a life of this one, that did not come to write it down.
    if (await_access(services, volume) == DiskAccess::offline && !is_merge_certain(job)) refuse_doubtful_merge(volume);
    return chain.size() > 1 ? chain[1] : "";
}

// The volume goes on from what lies below `root`.
void step_down(Services& services, Job& job, const VolumeSnapshot& root, const std::set<std::string>& doomed) {
    const auto volume = services.inventory.find<Volume>(root.volume);
    if (!volume || volume->install_path.empty()) return;
    const auto below = place_below(services, job, *volume, root, doomed);
    if (!below) return;
    put_active_layer_on(services, job, root.volume, *below);
    const auto parent = services.inventory.find<VolumeSnapshot>(root.parent);
    parent ? go_on_from(services, *parent) : leave_tree(services, root.volume);
}

void remove_all(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
        services.files.remove_file(snapshot->install_path);
        services.inventory.remove<VolumeSnapshot>(snapshot->uuid);
    }
    const SnapshotTreeId tree = snapshots.front().tree;
    if (services.inventory.count<VolumeSnapshot>({{"treeUuid", tree.str()}}) == 0)
        services.inventory.remove<SnapshotTree>(tree);
}

}  // namespace

json delete_snapshot(Services& services, Job& job, const DeleteSnapshot& params) {
    const auto known = services.inventory.find<VolumeSnapshot>(params.snapshot);
    if (!known) return json::object();
    settle_creations(services, known->volume);
    const auto root = services.inventory.find<VolumeSnapshot>(params.snapshot);
    if (!root) return json::object();
    const std::vector<VolumeSnapshot> doomed = subtree(services, *root);
    const std::set<std::string> files = files_of(doomed);
    check_nobody_else_uses(services, root->volume, files);
    services.inventory.transaction([&] {
        for (const VolumeSnapshot& one : doomed) set_status(services, one.uuid, SnapshotStatus::deleting);
    });
    try {
        step_down(services, job, *root, files);
        remove_all(services, doomed);
    } catch (...) {
        const Error error = current_error();
        // A stopping daemon's next start goes on.
        if (job.cancellation().reason() != CancelReason::stopping) restore(services, doomed);
        throw error;
    }
    services.image_cache.drop_unused();
    return json::object();
}

}  // namespace hvagent::operations
