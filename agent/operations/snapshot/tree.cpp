#include "agent/operations/snapshot/tree.h"

namespace hvagent::operations {

std::optional<VolumeSnapshot> base_snapshot(Services& services, const VolumeId& volume) {
    for (const VolumeSnapshot& snapshot :
         services.inventory.list<VolumeSnapshot>({{"volumeUuid", volume.str()}, {"latest", std::int64_t{1}}})) {
        const auto tree = services.inventory.find<SnapshotTree>(snapshot.tree);
        if (tree && tree->current) return snapshot;
    }
    return std::nullopt;
}

void leave_tree(Services& services, const VolumeId& volume) {
    services.inventory.transaction([&] {
        for (const VolumeSnapshot& snapshot :
             services.inventory.list<VolumeSnapshot>({{"volumeUuid", volume.str()}, {"latest", std::int64_t{1}}}))
            services.inventory.modify<VolumeSnapshot>(snapshot.uuid, [](VolumeSnapshot& record) { record.latest = false; });
        for (const SnapshotTree& tree :
             services.inventory.list<SnapshotTree>({{"volumeUuid", volume.str()}, {"current", std::int64_t{1}}}))
            services.inventory.modify<SnapshotTree>(tree.uuid, [](SnapshotTree& record) { record.current = false; });
    });
}

void go_on_from(Services& services, const VolumeSnapshot& snapshot) {
    services.inventory.transaction([&] {
        leave_tree(services, snapshot.volume);
        services.inventory.modify<SnapshotTree>(snapshot.tree, [](SnapshotTree& record) { record.current = true; });
        services.inventory.modify<VolumeSnapshot>(snapshot.uuid, [](VolumeSnapshot& record) { record.latest = true; });
    });
}

std::vector<VolumeSnapshot> subtree(Services& services, const VolumeSnapshot& root) {
    std::vector<VolumeSnapshot> found{root};
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const VolumeSnapshot& child : services.inventory.list<VolumeSnapshot>({{"parentUuid", found[i].uuid.str()}}))
            found.push_back(child);
    return found;
}

}  // namespace hvagent::operations
