// The source's side: what a VM consists of now, as libvirt and the files show it.
#include <algorithm>
#include <filesystem>
#include <set>

#include "agent/operations/cdrom/drives.h"
#include "agent/operations/migration/bundle.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/storage/layout.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

// An image in the cache lies in a directory of its uuid; empty for other files.
ImageId image_of(const std::string& path) {
    if (path.find("/imagecache/") == std::string::npos) return {};
    const std::string name = std::filesystem::path(path).parent_path().filename();
    return is_uuid(name) ? ImageId(name) : ImageId();
}

class Collection {
public:
    Collection(Services& services, VmBundle& bundle) : services_(services), bundle_(bundle) {}

    void add_chain(const Volume& volume, const std::vector<std::string>& chain) {
        // From the bottom up: each file comes after the one it lies on.
        for (std::size_t i = chain.size(); i-- > 1;) add_frozen(volume, chain[i]);
        MovingFile file = described(volume, chain.front());
        file.kind = FileKind::active;
        if (chain.size() > 1) file.backing = chain[1];
        add(std::move(file));
    }

    // Layers of other branches of the tree are in no chain.
    void add_branches(const Volume& volume) {
        std::vector<VolumeSnapshot> snapshots;
        for (const VolumeSnapshot& one : bundle_.snapshots)
            if (one.volume == volume.uuid) snapshots.push_back(one);
        std::sort(snapshots.begin(), snapshots.end(), [](const auto& a, const auto& b) { return a.distance < b.distance; });
        for (const VolumeSnapshot& snapshot : snapshots) add_with_bases(volume, snapshot.install_path);
    }

    void add_iso(const VmCdRom& drive) {
        if (drive.iso_path.empty()) return;
        MovingFile file;
        file.kind = FileKind::iso;
        file.path = drive.iso_path;
        file.format = "raw";
        file.virtual_size = services_.disk_images.inspect(drive.iso_path, "raw").virtual_size;
        file.allocated = services_.files.allocated(drive.iso_path);
        file.image = drive.iso;
        file.storage = storage_of(drive.iso_path);
        add(std::move(file));
    }

private:
    void add_with_bases(const Volume& volume, const std::string& path) {
        if (path.empty() || known_.contains(path)) return;
        if (volume.format == "qcow2") {
            const std::string backing = services_.disk_images.inspect(path, "").backing_file;
            if (!backing.empty()) add_with_bases(volume, backing);
        }
        add_frozen(volume, path);
    }

    void add_frozen(const Volume& volume, const std::string& path) {
        MovingFile file = described(volume, path);
        file.image = image_of(path);
        file.kind = file.image.empty() ? FileKind::layer : FileKind::base;
        add(std::move(file));
    }

    MovingFile described(const Volume& volume, const std::string& path) {
        const DiskImageInfo info = services_.disk_images.inspect(path, "");
        MovingFile file;
        file.path = path;
        file.format = info.format;
        file.backing = info.backing_file;
        file.virtual_size = info.virtual_size;
        file.allocated = services_.files.allocated(path);
        file.storage = volume.primary_storage;
        file.volume = volume.uuid;
        return file;
    }

    PrimaryStorageId storage_of(const std::string& path) {
        for (const PrimaryStorage& storage : services_.inventory.list<PrimaryStorage>())
            if (path.starts_with(storage.url + "/")) return storage.uuid;
        throw Error(Code::operation_failed, "the file " + path + " lies on no primary storage of this host");
    }

    void add(MovingFile file) {
        if (known_.insert(file.path).second) bundle_.files.push_back(std::move(file));
    }

    Services& services_;
    VmBundle& bundle_;
    std::set<std::string> known_;
};

void add_records(Services& services, VmBundle& bundle) {
    const auto& inventory = services.inventory;
    const inventory::Where of_vm{{"vmInstanceUuid", bundle.vm.uuid.str()}};
    bundle.nics = inventory.list<VmNic>(of_vm);
    bundle.cdroms = drives_of(inventory, bundle.vm.uuid);
    bundle.volumes = inventory.list<Volume>(of_vm);
    std::vector<std::string> tagged{bundle.vm.uuid.str()};
    for (const VmNic& nic : bundle.nics) tagged.push_back(nic.uuid.str());
    for (const Volume& volume : bundle.volumes) {
        const inventory::Where of_volume{{"volumeUuid", volume.uuid.str()}};
        tagged.push_back(volume.uuid.str());
        for (const auto& snapshot : inventory.list<VolumeSnapshot>(of_volume)) {
            tagged.push_back(snapshot.uuid.str());
            bundle.snapshots.push_back(snapshot);
        }
        for (const auto& tree : inventory.list<SnapshotTree>(of_volume)) bundle.trees.push_back(tree);
        for (const auto& one : inventory.list<Scheduler>({{"targetResourceUuid", volume.uuid.str()}}))
            bundle.schedulers.push_back(one);
    }
    for (const std::string& uuid : tagged)
        for (const Tag& tag : inventory.list<Tag>({{"resourceUuid", uuid}})) bundle.tags.push_back(tag);
}

void add_files(Services& services, VmBundle& bundle) {
    const auto live = services.disks.look(bundle.vm.uuid);
    if (!live) throw Error(Code::vm_wrong_state, "VM " + bundle.vm.uuid.str() + " does not run");
    Collection collection(services, bundle);
    for (const Volume& volume : bundle.volumes) {
        const auto disk = std::find_if(live->disks.begin(), live->disks.end(),
                                       [&](const LiveDisk& one) { return one.volume == volume.uuid; });
        if (disk == live->disks.end())
            throw Error(Code::operation_failed, "VM " + bundle.vm.uuid.str() + " runs without its disk " + shown(volume));
        collection.add_chain(volume, disk->chain);
        collection.add_branches(volume);
    }
    for (const VmCdRom& drive : bundle.cdroms) collection.add_iso(drive);
}

void add_places(Services& services, VmBundle& bundle) {
    std::set<std::string> storages, images;
    for (const MovingFile& file : bundle.files) {
        if (storages.insert(file.storage.str()).second) {
            const auto storage = services.inventory.get<PrimaryStorage>(file.storage);
            bundle.storages.push_back({storage.uuid, storage.name, storage.url, ""});
        }
        if (file.image.empty() || !images.insert(file.image.str()).second) continue;
        const auto image = services.inventory.find<Image>(file.image);
        bundle.images.push_back({file.image, image ? image->md5 : ""});
    }
    std::set<std::string> networks;
    for (const VmNic& nic : bundle.nics) {
        if (!networks.insert(nic.l3_network.str()).second) continue;
        const auto l3 = services.inventory.get<L3Network>(nic.l3_network);
        const auto l2 = services.inventory.get<L2Network>(l3.l2_network);
        const auto ranges = services.inventory.list<IpRange>({{"l3NetworkUuid", l3.uuid.str()}});
        bundle.networks.push_back({l3.uuid, l3.name, services.addresses.is_nat(l3.uuid), l2.physical_interface,
                                   ranges.empty() ? "" : ranges.front().network_cidr});
    }
}

bool lies_below(const std::string& path, const std::string& directory) {
    return path.starts_with(directory + "/");
}

// Linked clones share layers across VMs; a layer can be at one host only, or be removed by one that does not know of the
// other's VM.
void add_shared_layers(Services& services, const VmBundle& bundle, std::vector<std::string>& found) {
    std::set<VolumeId> ours;
    std::set<std::string> files;
    for (const Volume& volume : bundle.volumes) ours.insert(volume.uuid);
    for (const MovingFile& file : bundle.files)
        if (file.kind == FileKind::layer || file.kind == FileKind::active) files.insert(file.path);
    const auto check_below = [&](const Volume& other) {
        const auto storage = services.inventory.find<PrimaryStorage>(other.primary_storage);
        if (!storage) return;
        const std::string directory = volume_directory(*storage, other);
        for (const std::string& file : files)
            if (lies_below(file, directory)) return found.push_back("its disks lie on a layer of " + shown(other));
    };
    const auto check_above = [&](const std::string& path, const std::string& format, const std::string& whose) {
        if (path.empty() || format != "qcow2" || !services.files.exists(path)) return;
        if (files.contains(services.disk_images.inspect(path, "").backing_file))
            found.push_back(whose + " lies on a layer of its disks");
    };
    for (const Volume& other : services.inventory.list<Volume>()) {
        if (ours.contains(other.uuid)) continue;
        check_below(other);
        check_above(other.install_path, other.format, shown(other));
    }
    for (const VolumeSnapshot& other : services.inventory.list<VolumeSnapshot>())
        if (!ours.contains(other.volume))
            check_above(other.install_path, other.format, "the snapshot " + other.name + " (" + other.uuid.str() + ")");
}

}  // namespace

VmBundle make_bundle(Services& services, const VmId& vm) {
    VmBundle bundle;
    bundle.migration = MigrationId::make();
    bundle.source = services.host;
    bundle.source_name = services.inventory.get<Host>(services.host).name;
    bundle.vm = services.inventory.get<Vm>(vm);
    bundle.serial_log = services.settings.state_directory + "/serial/" + vm.str() + ".log";
    add_records(services, bundle);
    add_files(services, bundle);
    add_places(services, bundle);
    bundle.needs = services.migration.needs_of(vm);
    if (!is_own_nvram(bundle.needs.nvram, vm) || !opens_nvram_directory(services)) bundle.needs.nvram.clear();
    return bundle;
}

std::vector<std::string> obstacles_to_leaving(Services& services, const VmBundle& bundle) {
    std::vector<std::string> found = services.migration.obstacles(bundle.vm.uuid);
    for (const ShareableVolumeRef& ref :
         services.inventory.list<ShareableVolumeRef>({{"vmInstanceUuid", bundle.vm.uuid.str()}}))
        found.push_back(shown(services.inventory.get<Volume>(ref.volume)) + " is shareable: its other VMs are on this host");
    for (const Volume& volume : bundle.volumes)
        if (volume.status != VolumeStatus::ready)
            found.push_back(shown(volume) + " is " + std::string(hvagent::to_text(volume.status)) + ", not Ready");
    for (const VolumeSnapshot& snapshot : bundle.snapshots)
        if (snapshot.status != SnapshotStatus::ready)
            found.push_back("the snapshot " + snapshot.name + " (" + snapshot.uuid.str() + ") is " +
                            std::string(hvagent::to_text(snapshot.status)) + ", not Ready");
    add_shared_layers(services, bundle, found);
    return found;
}

}  // namespace hvagent::operations
