// Data volumes and VMs to plug them into, on a host in memory.
#pragma once
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {

class VolumeLife : public VmLife {
protected:
    VolumeId create_volume(const json& more = json::object()) {
        json request{{"name", "data"}, {"diskSize", GiB}};
        request.update(more);
        return VolumeId(create("CreateDataVolume", request));
    }
    VolumeId create_ready_volume(json more = json::object()) {
        more["primaryStorageUuid"] = made("primary-storage");
        return create_volume(more);
    }
    VolumeId create_shareable() { return create_ready_volume({{"systemTags", {"ephemeral::shareable"}}}); }
    VmId create_stopped_vm(json more = json::object()) {
        more["strategy"] = "CreateStopped";
        return create_vm(more);
    }

    static json pair(const VolumeId& volume, const VmId& vm) {
        return {{"volumeUuid", volume.str()}, {"vmInstanceUuid", vm.str()}};
    }
    json attach_to(const VmId& vm, const VolumeId& volume) { return call("AttachDataVolumeToVm", pair(volume, vm)); }
    json on(const std::string& operation, const VolumeId& volume, json more = json::object()) {
        more["uuid"] = volume.str();
        const json answer = call(operation, more);
        world.settle();
        return answer;
    }
    Error on_failure(const std::string& operation, const VolumeId& volume, json more = json::object()) {
        more["uuid"] = volume.str();
        return failure_of(operation, more);
    }
    // The error as the client sees it first.
    Error outer_failure(const std::string& operation, const json& sent) {
        return thrown_error([&] { call(operation, sent); });
    }

    Volume volume(const VolumeId& id) { return inventory.get<Volume>(id); }
    std::vector<DiskSpec> live_disks(const VmId& vm) { return world.find(vm)->spec.disks; }
    bool is_plugged(const VmId& vm, const VolumeId& id) {
        for (const DiskSpec& plugged : live_disks(vm))
            if (plugged.volume == id) return true;
        return false;
    }
    std::vector<std::string> files_of(const VolumeId& id) {
        std::vector<std::string> found;
        for (const std::string& path : disk.paths())
            if (path.find("vol-" + id.str()) != std::string::npos) found.push_back(path);
        return found;
    }
    SnapshotId add_snapshot(const VolumeId& of, const std::string& path, Bytes allocated = MiB) {
        disk.put(path, {"", {"qcow2", GiB, allocated, "", false, false}, allocated});
        SnapshotTree tree;
        tree.uuid = SnapshotTreeId::make();
        tree.volume = of;
        inventory.insert(tree);
        VolumeSnapshot snapshot;
        snapshot.uuid = SnapshotId::make();
        snapshot.name = "before";
        snapshot.volume = of;
        snapshot.tree = tree.uuid;
        snapshot.primary_storage = volume(of).primary_storage;
        snapshot.install_path = path;
        snapshot.virtual_size = GiB;
        snapshot.status = SnapshotStatus::ready;
        inventory.insert(snapshot);
        return snapshot.uuid;
    }
};

}  // namespace hvagent::operations
