// A VM with a root volume and snapshots of it, on a host in memory.
#pragma once
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {

class Snapshots : public VmLife {
protected:
    void have_vm(bool running) {
        vm = create_vm();
        volume = record(vm).root_volume;
        if (!running) act("StopVmInstance", vm, {{"type", "cold"}});
    }
    SnapshotId take(const std::string& name = "snapshot") {
        return SnapshotId(call("CreateVolumeSnapshot", {{"volumeUuid", volume.str()}, {"name", name}})["inventory"]["uuid"]);
    }
    json remove(const SnapshotId& snapshot) { return call("DeleteVolumeSnapshot", {{"uuid", snapshot.str()}}); }
    json revert(const SnapshotId& snapshot) { return call("RevertVolumeFromSnapshot", {{"uuid", snapshot.str()}}); }

    Volume now() { return inventory.get<Volume>(volume); }
    VolumeSnapshot snapshot(const SnapshotId& id) { return inventory.get<VolumeSnapshot>(id); }
    std::string active() { return now().install_path; }
    std::string backing_of(const std::string& path) { return disk.get(path).image.backing_file; }
    std::string live_path() { return world.find(vm)->spec.disks.front().path; }
    // Every file of the volume is its active layer or a snapshot's, and every record has its file.
    void expect_files_and_records_agree() {
        std::vector<std::string> owned{active()};
        for (const VolumeSnapshot& one : inventory.list<VolumeSnapshot>()) owned.push_back(one.install_path);
        EXPECT_THAT(volume_files(), testing::UnorderedElementsAreArray(owned));
        int latest = 0, current = 0;
        for (const VolumeSnapshot& one : inventory.list<VolumeSnapshot>()) {
            EXPECT_EQ(one.status, SnapshotStatus::ready) << one.name;
            latest += one.latest;
            if (one.latest) {
                EXPECT_EQ(backing_of(active()), one.install_path);
            }
            const auto parent = inventory.find<VolumeSnapshot>(one.parent);
            EXPECT_EQ(one.distance, parent ? parent->distance + 1 : 1);
            if (parent) {
                EXPECT_EQ(backing_of(one.install_path), parent->install_path);
            }
        }
        for (const SnapshotTree& tree : inventory.list<SnapshotTree>()) {
            current += tree.current;
            EXPECT_GT(inventory.count<VolumeSnapshot>({{"treeUuid", tree.uuid.str()}}), 0);
        }
        EXPECT_LE(latest, 1);
        EXPECT_EQ(current, latest);
        if (world.find(vm) && world.find(vm)->is_active()) {
            EXPECT_EQ(live_path(), active());
        }
    }

    VmId vm;
    VolumeId volume;
};

}  // namespace hvagent::operations
