#include "agent/operations/snapshot/creation.h"

#include <algorithm>
#include <functional>

#include "agent/operations/rows.h"
#include "agent/operations/snapshot/layers.h"
#include "agent/operations/snapshot/tree.h"
#include "agent/operations/vm/settling.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

void check_volume(const Volume& volume) {
    const auto refuse = [&](const std::string& why) {
        throw Error(Code::operation_failed, "no snapshot can be taken of " + shown(volume) + ": it " + why);
    };
    if (volume.shareable) refuse("is shareable");
    if (volume.status != VolumeStatus::ready) refuse("is " + std::string(to_text(volume.status)) + ", but must be Ready");
    if (volume.state != EnabledState::enabled) refuse("is Disabled, but must be Enabled");
    if (volume.format != "qcow2") refuse("is a " + volume.format + " file, which cannot be layered");
}

// A chain that would grow past the limit is merged into the active layer, which then begins a tree of its own.
void keep_chain_short(Services& services, Job& job, const VolumeId& volume) {
    const auto base = base_snapshot(services, volume);
    if (!base || base->distance < longest_tree) return;
    put_active_layer_on(services, job, volume, "");
    leave_tree(services, volume);
}

VolumeSnapshot design(Services& services, const NewSnapshot& wanted) {
    const Volume volume = services.inventory.get<Volume>(wanted.volume);
    const auto base = base_snapshot(services, wanted.volume);
    VolumeSnapshot snapshot;
    snapshot.uuid = wanted.uuid;
    snapshot.name = wanted.name;
    snapshot.description = wanted.description;
    snapshot.volume = wanted.volume;
    snapshot.tree = base ? base->tree : SnapshotTreeId::make();
    snapshot.parent = base ? base->uuid : SnapshotId();
    snapshot.primary_storage = volume.primary_storage;
    snapshot.install_path = path_for_layer(services, volume, wanted.uuid.str());
    snapshot.volume_type = volume.type;
    snapshot.format = volume.format;
    snapshot.latest = false;
    snapshot.distance = base ? base->distance + 1 : 1;
    snapshot.group = wanted.group;
    snapshot.virtual_size = volume.size;
    return snapshot;
}

void record(Services& services, const std::vector<VolumeSnapshot>& snapshots, const std::vector<NewSnapshot>& wanted) {
    services.inventory.transaction([&] {
        for (const VolumeSnapshot& snapshot : snapshots) {
            if (snapshot.parent.empty()) {
                SnapshotTree tree;
                tree.uuid = snapshot.tree;
                tree.volume = snapshot.volume;
                tree.current = false;
                services.inventory.insert(tree);
            }
            services.inventory.insert(snapshot);
        }
        for (const NewSnapshot& one : wanted) add_tags(services, "VolumeSnapshot", one.uuid.str(), one.tags);
    });
}

bool switch_layers(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    const Volume first = services.inventory.get<Volume>(snapshots.front().volume);
    if (await_access(services, first) == DiskAccess::live) {
        std::vector<NewLayer> layers;
        for (const VolumeSnapshot& snapshot : snapshots) layers.push_back({snapshot.volume, snapshot.install_path});
        const bool quiet = services.disks.freeze_layers(first.vm, layers);
        let_go_of_guest(services, first.vm);
        return quiet;
    }
    for (const VolumeSnapshot& snapshot : snapshots) {
        const Volume volume = services.inventory.get<Volume>(snapshot.volume);
        services.disk_images.create_overlay(snapshot.install_path, volume.install_path, volume.format, volume.size);
    }
    return true;
}

void finish(Services& services, const VolumeSnapshot& snapshot) {
    const std::string frozen = services.inventory.get<Volume>(snapshot.volume).install_path;
    const Bytes frozen_size = services.files.allocated(frozen);
    const Bytes active_size = services.files.allocated(snapshot.install_path);
    services.inventory.transaction([&] {
        services.inventory.modify<Volume>(snapshot.volume, [&](Volume& record) {
            record.install_path = snapshot.install_path;
            record.actual_size = active_size;
        });
        services.inventory.modify<VolumeSnapshot>(snapshot.uuid, [&](VolumeSnapshot& record) {
            record.install_path = frozen;
            record.size = frozen_size;
            record.status = SnapshotStatus::ready;
        });
        go_on_from(services, snapshot);
    });
}

void forget(Services& services, const VolumeSnapshot& snapshot) {
    services.inventory.transaction([&] {
        services.inventory.remove<VolumeSnapshot>(snapshot.uuid);
        if (services.inventory.count<VolumeSnapshot>({{"treeUuid", snapshot.tree.str()}}) == 0)
            services.inventory.remove<SnapshotTree>(snapshot.tree);
    });
}

// Whether all that is wanted of each holds.
bool all(const std::vector<VolumeSnapshot>& snapshots, const std::function<bool(const VolumeSnapshot&)>& holds) {
    return std::all_of(snapshots.begin(), snapshots.end(), holds);
}

// While QEMU runs, a file that is there may be on the way to being opened by a call that nobody waits for any more: it is
// not removed, but gone on with. The driver removes those that it knows to be refused.
bool settle_live(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    const auto is_active = [&](const VolumeSnapshot& snapshot) {
        return layers_of(services, services.inventory.get<Volume>(snapshot.volume)).front() == snapshot.install_path;
    };
    const bool active = all(snapshots, is_active);
    if (!active && all(snapshots, [&](const auto& snapshot) { return !services.files.exists(snapshot.install_path); }))
        return false;
    if (active)
        let_go_of_guest(services, services.inventory.get<Volume>(snapshots.front().volume).vm);
    else
        switch_layers(services, snapshots);
    return true;
}

// A layer that is whole counts as switched: a QEMU that is gone may have written to it. Of several, QEMU switches all or
// none, and once all files are made.
bool settle_offline(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    const bool whole = all(snapshots, [&](const VolumeSnapshot& snapshot) {
        return is_layer_on(services, snapshot.install_path, services.inventory.get<Volume>(snapshot.volume).install_path);
    });
    for (const VolumeSnapshot& snapshot : snapshots) {
        const Bytes size = services.inventory.get<Volume>(snapshot.volume).size;
        if (!whole)
            services.files.remove_file(snapshot.install_path);
        else if (services.disk_images.inspect(snapshot.install_path, "qcow2").virtual_size < size)
            services.disk_images.resize(snapshot.install_path, size);  // the volume grew while nobody could see
    }
    return whole;
}

// Returns whether they are Ready now; else nothing of them is left.
bool settle(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    const Volume first = services.inventory.get<Volume>(snapshots.front().volume);
    const bool live = await_access(services, first) == DiskAccess::live;
    const bool switched = live ? settle_live(services, snapshots) : settle_offline(services, snapshots);
    for (const VolumeSnapshot& snapshot : snapshots) {
        log::info("the creation of a snapshot is settled", {{"snapshot", snapshot.uuid.str()}, {"made", switched}});
        switched ? finish(services, snapshot) : forget(services, snapshot);
    }
    return switched;
}

// The host said no, or nothing: whether it did something all the same is to be seen.
bool were_made_all_the_same(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    try {
        return settle(services, snapshots);
    } catch (const Error& error) {
        log::warning("what became of a snapshot cannot be seen now",
                     {{"snapshot", snapshots.front().uuid.str()}, {"error", error.details()}});
        return false;
    }
}

void settle_later(Services& services, const std::vector<VolumeSnapshot>& snapshots) {
    const bool open = services.inventory.find<VolumeSnapshot>(snapshots.front().uuid).has_value();
    const Volume volume = services.inventory.get<Volume>(snapshots.front().volume);
    if (open && !volume.vm.empty()) services.settle_later(volume.vm);
}

}  // namespace

void settle_creations(Services& services, const VolumeId& volume) {
    const std::string creating(to_text(SnapshotStatus::creating));
    for (const VolumeSnapshot& snapshot :
         services.inventory.list<VolumeSnapshot>({{"volumeUuid", volume.str()}, {"status", creating}})) {
        if (snapshot.group.empty())
            settle(services, {snapshot});
        else
            settle(services, services.inventory.list<VolumeSnapshot>({{"groupUuid", snapshot.group}, {"status", creating}}));
    }
}

void settle_creations(Services& services, const VmId& vm) {
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", vm.str()}}))
        settle_creations(services, volume.uuid);
}

bool make_snapshots(Services& services, Job& job, const std::vector<NewSnapshot>& all) {
    for (const NewSnapshot& one : all) settle_creations(services, one.volume);
    std::vector<NewSnapshot> wanted;
    for (const NewSnapshot& one : all)
        if (!services.inventory.find<VolumeSnapshot>(one.uuid)) wanted.push_back(one);
    if (wanted.empty()) return false;  // an earlier life of this job came so far, and told nobody how quiet they were
    for (const NewSnapshot& one : wanted) {
        const Volume volume = services.inventory.get<Volume>(one.volume);
        check_volume(volume);
        await_access(services, volume);
        require_room_for_layer(services, volume);
    }
    for (const NewSnapshot& one : wanted) keep_chain_short(services, job, one.volume);
    job.cancellation().check();
    std::vector<VolumeSnapshot> snapshots;
    for (const NewSnapshot& one : wanted) snapshots.push_back(design(services, one));
    record(services, snapshots, wanted);
    bool quiet = false;
    try {
        quiet = switch_layers(services, snapshots);
    } catch (...) {
        const Error error = current_error();
        // A QEMU that did not answer in time would not answer now.
        const bool made = error.code() != Code::timeout && were_made_all_the_same(services, snapshots);
        if (made) return false;
        settle_later(services, snapshots);
        throw error;
    }
    for (const VolumeSnapshot& snapshot : snapshots) finish(services, snapshot);
    return quiet;
}

}  // namespace hvagent::operations
